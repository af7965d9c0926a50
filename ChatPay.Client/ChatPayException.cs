using ChatPay.Core.Protocol;

namespace ChatPay.Client;

/// <summary>The server refused: the numbered error of the one catalogue, over HTTP and the hub alike.</summary>
public sealed class ChatPayException : Exception
{
    /// <param name="error">What the server answered.</param>
    public ChatPayException(ErrorBody error)
        : base(error?.Message)
    {
        ArgumentNullException.ThrowIfNull(error);
        Error = error;
    }

    /// <summary>Number, name, sentence, whether a retry may help, and details. Values in details are JSON elements.</summary>
    public ErrorBody Error { get; }

    /// <summary>The catalogue's number as the enum; a number this version does not know has no name.</summary>
    public ErrorCode Code => (ErrorCode)Error.Code;

    /// <summary>Whether the very same request may succeed later.</summary>
    public bool Retryable => Error.Retryable;
}
