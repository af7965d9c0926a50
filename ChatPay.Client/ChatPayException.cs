using ChatPay.Core.Protocol;

namespace ChatPay.Client;

/// <summary>
/// The one error of everything that may fail for a reason outside this program: the server's refusal with its number in
/// the catalogue, over HTTP and the hub alike, or a failure of this side (<see cref="ClientErrors"/>). Misuse throws
/// what the base class library has for it.
/// </summary>
public sealed class ChatPayException : Exception
{
    /// <param name="error">What the server answered.</param>
    public ChatPayException(ErrorBody error)
        : this(error, null)
    {
    }

    /// <param name="error">What went wrong.</param>
    /// <param name="cause">What was thrown underneath, if anything.</param>
    public ChatPayException(ErrorBody error, Exception? cause)
        : base(error?.Message, cause)
    {
        ArgumentNullException.ThrowIfNull(error);
        Error = error;
    }

    /// <summary>
    /// Number, name, sentence, whether a retry may help, and details. Values in details are JSON elements.
    /// </summary>
    public ErrorBody Error { get; }

    /// <summary>
    /// The catalogue's number as the enum; a number this version does not know, and 0 for a failure of this side, have
    /// no name.
    /// </summary>
    public ErrorCode Code => (ErrorCode)Error.Code;

    /// <summary>The catalogue's snake_case name, or one of <see cref="ClientErrors"/>.</summary>
    public string Name => Error.Name;

    /// <summary>
    /// Whether the device is over with it, its store or its session, so that everything else fails too until the program
    /// opens it again or signs in; any other failure is that one call's.
    /// </summary>
    public bool EndsDevice => Name is ClientErrors.StoreFailed or ClientErrors.SessionEnded
        || Code is ErrorCode.Unauthenticated or ErrorCode.DeviceRevoked;

    /// <summary>
    /// The card that may be posted all the same, where money was sent or asked for and the outcome is open: asking again
    /// with this <see cref="CardOptions.Id"/> posts it once. Null for everything else.
    /// </summary>
    public CardId? Card { get; init; }

    /// <summary>Whether the very same request may succeed later.</summary>
    public bool Retryable => Error.Retryable;
}
