using ChatPay.Core.Transparency;

namespace ChatPay.Server.Transparency;

/// <summary>The log as it was last signed.</summary>
/// <param name="VerifierKey">Ed25519, 32 bytes: whose log the database holds.</param>
/// <param name="Number">Which log of that key; another one was begun where a database had been restored.</param>
/// <param name="Root">32 bytes.</param>
/// <param name="Note">The signed checkpoint.</param>
internal sealed record KeyLogRow(byte[] VerifierKey, int Number, long Size, byte[] Root, string Note)
{
    public LogMark Mark => new(Number, Size, Root);

    /// <summary>Whether this is certainly older than what was signed.</summary>
    public bool IsBehind(LogMark mark) => Number < mark.Number
        || (Number == mark.Number && (Size < mark.Size || (Size == mark.Size && !Root.AsSpan().SequenceEqual(mark.Root))));
}

/// <summary>An entry that the log has not taken in yet.</summary>
internal sealed record WaitingEntry(long Position, byte[] Entry, byte[] Salt)
{
    /// <summary>What stands of it in the log, 32 bytes.</summary>
    public byte[] Leaf() => KeyLogEntry.TryRead(Entry, out var entry, out var rejection)
        ? entry.Leaf(Salt) : throw new InvalidOperationException($"The stored entry {Position} is none: {rejection}.");
}
