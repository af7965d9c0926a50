namespace ChatPay.Server.Hosting;

/// <summary>
/// The server cannot start, and a person has to do something. The message is one clear sentence that says what; it is
/// printed as it stands, without a stack trace.
/// </summary>
internal sealed class StartupException : Exception
{
    public StartupException(string message)
        : base(message)
    {
    }

    public StartupException(string message, Exception inner)
        : base(message, inner)
    {
    }
}
