using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace ChatPay.Core.Ledger;

/// <summary>Opening, freezing and closing accounts.</summary>
public sealed partial class LedgerBook
{
    /// <summary>Opens the owner's account in an asset unless it is open already.</summary>
    /// <returns>Applied, with <c>Replayed</c> set where it exists; account closed; or asset unknown.</returns>
    public LedgerOutcome Open(LedgerOwner owner, AssetCode asset)
    {
        var account = LedgerAccount.Open(owner, asset);
        if (Find(account.Id) is { } existing)
        {
            var closed = existing.State == LedgerAccountState.Closed;
            return new LedgerOutcome(closed ? LedgerStatus.AccountClosed : LedgerStatus.Applied, Replayed: true);
        }

        if (!_assets.ContainsKey(asset))
        {
            return new LedgerOutcome(LedgerStatus.AssetUnknown);
        }

        Set(_accounts, account.Id, account, null);
        return new LedgerOutcome(LedgerStatus.Applied);
    }

    /// <summary>Decides a change of an account's state. A rejected one is recorded and changes nothing else.</summary>
    public LedgerOutcome Decide(AccountChange change, DateTimeOffset now)
    {
        ArgumentNullException.ThrowIfNull(change);
        var payload = change.HashPayload();
        ref var known = ref CollectionsMarshal.GetValueRefOrNullRef(_changes, change.Id);
        if (Unsafe.IsNullRef(ref known))
        {
            throw new InvalidOperationException("The change did not ask for itself.");
        }

        if (known is { } earlier)
        {
            return earlier.Payload == payload
                ? new LedgerOutcome(earlier.Status, Replayed: true)
                : new LedgerOutcome(LedgerStatus.IdempotencyConflict);
        }

        var account = Find(change.Account);
        var (status, state) = Check(change.Kind, account);
        if (status == LedgerStatus.Applied)
        {
            Set(_accounts, change.Account, account!.Value with { State = state }, null);
        }

        known = new KnownChange(payload, status);
        _changeRows.Add(new AccountChangeRow(change, status, payload, Latest(now, account?.LastEntryAt)));
        return new LedgerOutcome(status);
    }

    /// <summary>A state that is there already is reached once more; only from closed nothing leads away.</summary>
    private static (LedgerStatus Status, LedgerAccountState State) Check(AccountChangeKind kind, LedgerAccount? account) =>
        (kind, account) switch
        {
            (_, null) => (LedgerStatus.AccountUnknown, default),
            (AccountChangeKind.Close, { State: LedgerAccountState.Closed }) =>
                (LedgerStatus.Applied, LedgerAccountState.Closed),
            (_, { State: LedgerAccountState.Closed }) => (LedgerStatus.AccountClosed, default),
            (AccountChangeKind.Freeze, _) => (LedgerStatus.Applied, LedgerAccountState.Frozen),
            (AccountChangeKind.Unfreeze, _) => (LedgerStatus.Applied, LedgerAccountState.Open),
            (AccountChangeKind.Close, { Balance.Value: 0, Held.Value: 0 }) =>
                (LedgerStatus.Applied, LedgerAccountState.Closed),
            (AccountChangeKind.Close, _) => (LedgerStatus.AccountNotEmpty, default),
            _ => throw new InvalidOperationException($"There is no rule for {kind}."),
        };

    private static DateTimeOffset Latest(DateTimeOffset now, DateTimeOffset? earlier) =>
        earlier is { } last && last > now ? last : now;
}
