using ChatPay.Core.Protocol;
using ChatPay.Core.Transparency;

namespace ChatPay.Client.Internal.Keys;

/// <summary>Asks a server for the proof that a log only grew between two sizes.</summary>
internal delegate Task<ConsistencyReply> AskConsistency(long from, long? to, CancellationToken cancellationToken);

/// <summary>Whether two sizes and roots are of one log.</summary>
internal static class LogFit
{
    /// <param name="log">What was checked, and is not empty.</param>
    /// <exception cref="ChatPayException">The server cannot be reached.</exception>
    public static async Task<bool> IsOneAsync(
        KeyLogRecord log, long size, byte[] root, AskConsistency ask, CancellationToken cancellationToken)
    {
        if (size == log.Size)
        {
            return root.AsSpan().SequenceEqual(log.Root);
        }

        var (from, to) = size < log.Size ? (size, log.Size) : (log.Size, size);
        var (first, second) = size < log.Size ? (root, log.Root) : (log.Root, root);
        try
        {
            var reply = await ask(from, to, cancellationToken);
            return ConsistencyProof.Verify(from, to, first, second, reply.Proof) == LogRejection.None;
        }
        catch (ChatPayException unknown) when (unknown.Code == ErrorCode.LogSizeUnknown)
        {
            // This server has shown a longer log than it has.
            return false;
        }
    }
}
