namespace ChatPay.Core.Protocol;

/// <summary>Nothing, as the value of a <see cref="Result{T}"/> that only succeeds or fails.</summary>
public readonly record struct Unit;

/// <summary>A value, or the expected error that came instead. Bugs throw; outcomes are returned.</summary>
public readonly record struct Result<T>
{
    private readonly T? _value;

    private Result(T? value, Error? error)
    {
        _value = value;
        Error = error;
    }

    /// <summary>Null on success.</summary>
    public Error? Error { get; }

    public bool IsOk => Error is null;

    /// <summary>The value.</summary>
    /// <exception cref="InvalidOperationException">The result is an error; check <see cref="IsOk"/> first.</exception>
    public T Value => Error is null ? _value! : throw new InvalidOperationException($"No value: {Error.Code}.");

    public static implicit operator Result<T>(T value) => new(value, null);

    internal static Result<T> Of(T value) => new(value, null);

    public static implicit operator Result<T>(Error error)
    {
        ArgumentNullException.ThrowIfNull(error);
        return new(default, error);
    }

    public Result<TOther> Map<TOther>(Func<T, TOther> map)
    {
        ArgumentNullException.ThrowIfNull(map);
        return Error is null ? map(_value!) : Error;
    }
}

/// <summary>Makes results of types that no implicit conversion can start from, such as interfaces.</summary>
public static class Result
{
    public static Result<T> From<T>(T value) => Result<T>.Of(value);
}

/// <summary>What every hub method returns: exactly one of the two members is present.</summary>
/// <typeparam name="T">The method's own answer.</typeparam>
/// <param name="Ok">The answer, or null.</param>
/// <param name="Error">The numbered error, or null.</param>
public sealed record HubReply<T>(T? Ok = default, ErrorBody? Error = null) : IHubReply;

/// <summary>The side of a reply that does not depend on its method.</summary>
public interface IHubReply
{
    ErrorBody? Error { get; }
}
