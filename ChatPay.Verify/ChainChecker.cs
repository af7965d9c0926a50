using System.Globalization;
using System.Text;
using ChatPay.Core.Protocol;
using ChatPay.Core.Transparency;

namespace ChatPay.Verify;

/// <summary>
/// Checks an account's chain as a server gives it, page by page: each entry follows from the one before it and is signed by the
/// identity key that was in force, each is in the log, and the log is the one of a checkpoint that the reader trusts.
/// </summary>
internal sealed class ChainChecker(NoteVerifier verifier, Verdict verdict)
{
    private const int HashBytes = 32;

    /// <param name="trusted">A checkpoint that was checked before.</param>
    /// <param name="pages">In the order of their entries.</param>
    public void Check(byte[] trusted, IReadOnlyList<KeyChainReply> pages)
    {
        if (Notes.Open(trusted, verifier, "The checkpoint", verdict) is not { } anchor)
        {
            return;
        }

        var account = pages[0].Account;
        var chain = new KeyChain(account);
        verdict.Say($"The chain is of account {account}.");
        foreach (var page in pages)
        {
            if (page.Account != account || page.From != chain.Length)
            {
                verdict.Fail(string.Create(
                    CultureInfo.InvariantCulture,
                    $"A page begins with entry {page.From} of account {page.Account}, and entry {chain.Length} of {account} "
                    + $"comes next."));
                return;
            }

            if (Tie(page, anchor) is not { } checkpoint || !Take(chain, page, checkpoint))
            {
                return;
            }
        }

        var length = pages[^1].Length;
        verdict.Judge(
            chain.Length == length,
            string.Create(
                CultureInfo.InvariantCulture,
                $"All {length:N0} entries follow from one another and each is proved to be in the log."),
            string.Create(
                CultureInfo.InvariantCulture,
                $"The server says that the chain has {length:N0} entries, and here are {chain.Length:N0}: name all pages, in "
                + $"order."));
        Describe(chain);
    }

    /// <summary>Whether a page's checkpoint belongs to the same history as the trusted one.</summary>
    /// <returns>The page's; null where it does not, which is said then.</returns>
    private Checkpoint? Tie(KeyChainReply page, Checkpoint anchor)
    {
        if (Notes.Open(
            Encoding.UTF8.GetBytes(page.Checkpoint), verifier, "The checkpoint in the chain's file", verdict)
            is not { } checkpoint)
        {
            return null;
        }

        if (checkpoint.Size < anchor.Size)
        {
            verdict.Fail(string.Create(
                CultureInfo.InvariantCulture,
                $"The chain is proved for {checkpoint.Size:N0} entries and the checkpoint is of {anchor.Size:N0}: ask the server "
                + $"for the chain again, after the checkpoint."));
            return null;
        }

        if (anchor.Size == 0)
        {
            verdict.Fail("From an empty log nothing is proved: take a checkpoint that has entries.");
            return null;
        }

        var rejection = ConsistencyProof.Verify(
            anchor.Size, checkpoint.Size, anchor.Root, checkpoint.Root,
            anchor.Size == checkpoint.Size ? [] : page.Consistency);
        return verdict.Judge(
            rejection == LogRejection.None,
            "The chain's log goes on from the checkpoint.",
            string.Create(
                CultureInfo.InvariantCulture,
                $"That the chain's log goes on from the checkpoint is not proved: {Notes.Sentence(rejection)}. The chain has to "
                + $"be asked for with size={anchor.Size}; where it was, keep both checkpoints, which then prove a fork."))
            ? checkpoint : null;
    }

    private bool Take(KeyChain chain, KeyChainReply page, Checkpoint checkpoint)
    {
        foreach (var logged in page.Entries)
        {
            var number = chain.Length;
            if (!KeyLogEntry.TryRead(logged.Entry, out var entry, out var rejection)
                || logged.Salt.Length != HashBytes
                || (rejection = chain.Append(entry)) != LogRejection.None)
            {
                verdict.Fail(string.Create(
                    CultureInfo.InvariantCulture,
                    $"Entry {number} is no good: {(rejection == LogRejection.None ? "its salt has not 32 bytes"
                        : Notes.Sentence(rejection))}."));
                return false;
            }

            rejection = InclusionProof.Verify(
                logged.Index, checkpoint.Size, MerkleHash.Leaf(entry.Leaf(logged.Salt)), logged.Proof, checkpoint.Root);
            if (rejection != LogRejection.None)
            {
                verdict.Fail(string.Create(
                    CultureInfo.InvariantCulture,
                    $"Entry {number} is not proved to be in the log at place {logged.Index}: {Notes.Sentence(rejection)}."));
                return false;
            }

            verdict.Say(string.Create(
                CultureInfo.InvariantCulture, $"Entry {number}, at place {logged.Index} of the log: {TextOf(entry, chain)}."));
        }

        return true;
    }

    private static string TextOf(KeyLogEntry entry, KeyChain chain) => entry.Type switch
    {
        KeyLogEntryType.Identity when entry.Sequence == 0 => $"the account begins with identity key {Hex(entry.NewKey)}",
        KeyLogEntryType.Identity => $"the old identity key names a new one, {Hex(entry.NewKey)}",
        KeyLogEntryType.IdentityReset =>
            $"the identity begins anew with key {Hex(entry.NewKey)}, which no earlier key vouches for; all devices and the PIN "
            + "end here",
        KeyLogEntryType.DeviceAdded => $"device {entry.Device} is added with key {Hex(entry.NewKey)}",
        KeyLogEntryType.DeviceRevoked => $"device {entry.Device} is revoked",
        KeyLogEntryType.VaultConfigured => chain.VaultDigest.IsEmpty
            ? "the PIN is removed" : $"a PIN is set up; the vault's digest is {Hex(entry.VaultDigest)}",
    };

    private void Describe(KeyChain chain)
    {
        if (chain.Length == 0)
        {
            verdict.Say("The account has no keys in the log.");
            return;
        }

        verdict.Say($"In force is identity key {Hex(chain.IdentityKey)}.");
        verdict.Say(chain.Resets == 0
            ? "The identity was never reset."
            : string.Create(
                CultureInfo.InvariantCulture,
                $"The identity was reset {chain.Resets} times: compare safety numbers with this person again."));
        foreach (var (device, key) in chain.Devices)
        {
            verdict.Say($"Device {device} is live, with key {Hex(key)}.");
        }

        verdict.Say(chain.VaultDigest.IsEmpty
            ? "There is no PIN." : $"The PIN's registration has digest {Hex(chain.VaultDigest)}.");
    }

    private static string Hex(ReadOnlySpan<byte> bytes) => Convert.ToHexStringLower(bytes);
}
