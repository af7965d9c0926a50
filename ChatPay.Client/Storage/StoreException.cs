namespace ChatPay.Client;

/// <summary>Why a store cannot be opened.</summary>
public enum StoreTrouble
{
    /// <summary>Another program, or another object of this one, has it open.</summary>
    InUse = 1,

    /// <summary>The passphrase or key is not the one it was made with.</summary>
    WrongKey = 2,

    /// <summary>The file is none of this kind, or was changed by somebody else.</summary>
    Damaged = 3,

    /// <summary>A later version of this library wrote it.</summary>
    TooNew = 4,
}

/// <summary>A store cannot be opened; nothing was changed.</summary>
public sealed class StoreException : IOException
{
    /// <param name="trouble">What is the matter.</param>
    /// <param name="message">One sentence for people.</param>
    /// <param name="cause">What was thrown underneath, if anything.</param>
    public StoreException(StoreTrouble trouble, string message, Exception? cause = null)
        : base(message, cause) => Trouble = trouble;

    /// <summary>What is the matter, for programs.</summary>
    public StoreTrouble Trouble { get; }
}
