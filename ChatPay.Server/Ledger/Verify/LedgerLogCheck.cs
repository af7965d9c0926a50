using System.Text;
using ChatPay.Core.Ledger;
using ChatPay.Core.Protocol;
using ChatPay.Core.Receipts;
using ChatPay.Core.Transparency;
using ChatPay.Server.Transparency;
using static System.FormattableString;

namespace ChatPay.Server.Ledger.Verify;

/// <summary>What the ledger log was signed with, and how far it had come when that was looked at.</summary>
/// <param name="Mark">Read before the snapshot is taken: the snapshot is not behind it. Null where nothing was signed.</param>
internal sealed record LedgerLogKey(LogKeyFile File, LogMark? Mark);

/// <summary>
/// The ledger log against the transfers: each leaf is the salted hash of the applied transfer that it was made of, each applied
/// transfer behind the log's beginning has one, and all leaves give the root that was signed. The salts and the key lie apart
/// from the database, so whoever rewrites all of that cannot rewrite this.
/// </summary>
/// <param name="key">Null where its file is not here.</param>
internal sealed class LedgerLogCheck(VerifyStore store, VerifyFindings findings, LedgerLogKey? key)
{
    private readonly MerkleFrontier _tree = new();

    public async Task<string> RunAsync(VerifyStage stage, CancellationToken cancellationToken)
    {
        if (key is null)
        {
            return "not looked at, its key file is not here";
        }

        await CheckLeavesAsync(stage, cancellationToken);
        await using (var missing = store.UnsealedTransfers(cancellationToken))
        {
            await missing.NextAsync();
            while (missing.HasRow)
            {
                findings.Add(
                    $"transfer {missing.Row.Id.ToGuid()}: was not there when the ledger log took in what was decided with it");
                await missing.NextAsync();
            }
        }

        CheckHead(await store.LedgerLogAsync(cancellationToken));
        return Invariant($"{_tree.Size} of them sealed");
    }

    private async Task CheckLeavesAsync(VerifyStage stage, CancellationToken cancellationToken)
    {
        await using var leaves = store.SealedTransfers(stage, cancellationToken);
        await leaves.NextAsync();
        while (leaves.HasRow)
        {
            var row = leaves.Row;
            if (row.Index != _tree.Size)
            {
                findings.Add(Invariant($"ledger log: place {_tree.Size} is missing before place {row.Index}"));
            }

            if (WhatIsWrong(row, key!.File.SaltKey) is { } wrong)
            {
                findings.Add(Invariant($"transfer {row.Transfer.ToGuid()}: {wrong} (place {row.Index} of the ledger log)"));
            }

            _tree.Append(MerkleHash.Leaf(row.Leaf));
            if (!leaves.TryNext())
            {
                await leaves.NextAsync();
            }
        }
    }

    private static string? WhatIsWrong(in SealedRow row, ReadOnlySpan<byte> saltKey) =>
        row.Stored is not { } stored ? "was removed after it was sealed"
        : Of(stored) is { } transfer
            && transfer.Leaf(SealedTransfer.SaltOf(saltKey, transfer.Id)).AsSpan().SequenceEqual(row.Leaf)
                ? null : "was altered after it was sealed";

    /// <summary>Whether the log as it is stored is what its key signed, and not less than it was.</summary>
    private void CheckHead(LogRow? head)
    {
        if (head is null)
        {
            if (_tree.Size > 0)
            {
                findings.Add("ledger log: there are leaves and no checkpoint");
            }

            return;
        }

        if (!SignedNote.TryParse(Encoding.UTF8.GetBytes(head.Note), out var note, out _)
            || !Checkpoint.TryParse(note.Text, out var checkpoint)
            || checkpoint.Size != head.Size || !checkpoint.Root.SequenceEqual(head.Root)
            || !head.VerifierKey.AsSpan().SequenceEqual(key!.File.PublicKey)
            || key.File.Check(note, checkpoint.Origin) != LogRejection.None)
        {
            findings.Add("ledger log: its checkpoint is not what its key signed");
            return;
        }

        if (_tree.Size != head.Size || !_tree.Root().AsSpan().SequenceEqual(head.Root))
        {
            findings.Add(Invariant(
                $"ledger log: its {_tree.Size} leaves do not give the root that was signed for {head.Size}"));
        }

        if (key.Mark is { } mark && head.IsBehind(mark))
        {
            findings.Add(Invariant(
                $"ledger log: it has {head.Size} leaves, and {mark.Size} were signed: the database is older, or was rewritten"));
        }
    }

    /// <returns>Null for a row that was never a transfer.</returns>
    private static SealedTransfer? Of(in StoredTransfer row) =>
        row is { Payload: { } payload } && row.Asset.ToCode() is { } asset && VerifyIds.TryToInstant(row.At, out var at)
            ? new(
                new(row.Id.ToGuid()), row.Kind, new(row.Debit.ToGuid()),
                row.Credit is { } credit ? new LedgerAccountId(credit.ToGuid()) : null, Money.Of(row.AmountMinor, asset),
                row.Hold is { } hold ? new TransferId(hold.ToGuid()) : null,
                row.Card is { } card ? new CardId(card.ToGuid()) : null,
                row.Actor is { } actor ? new AccountId(actor.ToGuid()) : null,
                row.RefundOf is { } original ? new TransferId(original.ToGuid()) : null, at, payload)
            : null;
}

/// <summary>A leaf of the ledger log, and the applied transfer that it is of where that is there.</summary>
internal readonly record struct SealedRow(long Index, UInt128 Transfer, byte[] Leaf, StoredTransfer? Stored)
{
    public const string Columns = "l.index, l.transfer_id, l.leaf, t.id is not null";

    public static SealedRow Parse(scoped ref CopyRow row) => new(
        row.Int64(), row.Id(), row.Bytes().ToArray(), row.Boolean() ? StoredTransfer.Parse(ref row) : null);
}
