namespace ChatPay.Core.Transparency;

/// <summary>The bounds of logs, named once.</summary>
public static class LogLimits
{
    /// <summary>Levels of the tallest tree: sizes are below 2^63.</summary>
    public const int TreeLevels = 63;

    /// <summary>Hashes of the longest proof: a consistency proof has one more than the tree has levels.</summary>
    public const int ProofHashes = TreeLevels + 1;

    /// <summary>Bytes of one entry; its length is written in two bytes.</summary>
    public const int EntryBytes = ushort.MaxValue;

    /// <summary>Bytes of a signed note; room for post-quantum signatures of several kilobytes.</summary>
    public const int NoteBytes = 256 * 1024;

    /// <summary>Signatures of a note; the format asks for at least 16.</summary>
    public const int NoteSignatures = 32;

    public const int KeyNameMaxBytes = 256;

    /// <summary>Entries of one account's chain: a device a day for ten years.</summary>
    public const int ChainEntries = 8192;
}
