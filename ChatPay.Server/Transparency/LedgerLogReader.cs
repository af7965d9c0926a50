using ChatPay.Core.Ledger;
using ChatPay.Core.Protocol;
using ChatPay.Core.Receipts;
using ChatPay.Core.Transparency;

namespace ChatPay.Server.Transparency;

/// <summary>What the ledger log proves: that transfers are in it, and that it only grew.</summary>
internal sealed class LedgerLogReader(LedgerLogStore log, LedgerLogKeeper keeper) : LogReader(log)
{
    /// <summary>Where transfers are in the log as it was last signed, with proofs; without those that it has not yet.</summary>
    public Task<LedgerSeals> SealsAsync(IReadOnlyCollection<TransferId> transfers, CancellationToken cancellationToken) =>
        AtHeadAsync<LedgerSeals>(
            async head =>
            {
                var places = await log.PlacesAsync([.. transfers.Select(id => id.Value)], cancellationToken);
                var tiles = NewTiles();
                var seals = new Dictionary<TransferId, ReceiptSeal>();
                foreach (var transfer in transfers)
                {
                    // One that was taken in after the head was read is in the next.
                    if (!places.TryGetValue(transfer.Value, out var index) || index >= head.Size)
                    {
                        continue;
                    }

                    var proof = await tiles.ReadAsync(
                        head.Size, read => InclusionProof.Generate(index, head.Size, read), cancellationToken);
                    if (proof is null)
                    {
                        return null;
                    }

                    seals.Add(transfer, new ReceiptSeal(
                        SealedTransfer.SaltOf(keeper.KeyFile.SaltKey, transfer), index, proof, head.Note));
                }

                return new LedgerSeals(head, seals);
            },
            cancellationToken);
}

/// <param name="Head">The log that the proofs are for.</param>
internal readonly record struct LedgerSeals(LogRow Head, IReadOnlyDictionary<TransferId, ReceiptSeal> Seals);
