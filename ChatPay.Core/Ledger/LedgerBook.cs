using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace ChatPay.Core.Ledger;

/// <summary>
/// The rules of the ledger. A book is given everything a batch of commands touches, decides the commands one after the
/// other, and ends with the new states and the rows to store. It reads no clock and does no I/O: the same book and the
/// same commands give the same outcome anywhere.
/// </summary>
/// <remarks>
/// Loading is explicit: an id that was loaded as absent is unknown, an id that was never loaded is a bug and throws,
/// so that a forgotten load cannot pass for an unknown account or a fresh transfer.
/// </remarks>
public sealed partial class LedgerBook
{
    private readonly Dictionary<AssetCode, Asset> _assets;
    private readonly Dictionary<LedgerAccountId, LedgerAccount?> _accounts = [];
    private readonly Dictionary<TransferId, KnownTransfer?> _transfers = [];
    private readonly Dictionary<TransferId, LedgerHold?> _holds = [];
    private readonly HashSet<LedgerAccountId> _opened = [];
    private readonly HashSet<LedgerAccountId> _changed = [];
    private readonly HashSet<TransferId> _newHolds = [];
    private readonly HashSet<TransferId> _changedHolds = [];
    private readonly List<TransferRow> _rows = [];
    private readonly List<EntryRow> _entries = [];

    public LedgerBook(IEnumerable<Asset> assets) => _assets = assets.ToDictionary(asset => asset.Code);

    /// <summary>Accounts that did not exist before, as they are now.</summary>
    public IEnumerable<LedgerAccount> Opened => _opened.Select(id => _accounts[id]!.Value);

    /// <summary>Accounts that existed before and have new entries, as they are now.</summary>
    public IEnumerable<LedgerAccount> Changed =>
        _changed.Where(id => !_opened.Contains(id)).Select(id => _accounts[id]!.Value);

    /// <summary>Holds that did not exist before, as they are now: possibly closed already.</summary>
    public IEnumerable<LedgerHold> NewHolds => _newHolds.Select(id => _holds[id]!.Value);

    /// <summary>Holds that existed before and changed.</summary>
    public IEnumerable<LedgerHold> ChangedHolds =>
        _changedHolds.Where(id => !_newHolds.Contains(id)).Select(id => _holds[id]!.Value);

    /// <summary>Every command decided for the first time, in order, rejected ones too.</summary>
    public IReadOnlyList<TransferRow> Transfers => _rows;

    /// <summary>The entries of the applied ones, in order.</summary>
    public IReadOnlyList<EntryRow> Entries => _entries;

    /// <param name="account">Null where the database has no such account.</param>
    public void Load(LedgerAccountId id, LedgerAccount? account) => _accounts[id] = account;

    /// <param name="transfer">Null where the database has no such transfer.</param>
    public void Load(TransferId id, KnownTransfer? transfer) => _transfers[id] = transfer;

    /// <param name="hold">Null where the database has no such hold.</param>
    public void LoadHold(TransferId id, LedgerHold? hold) => _holds[id] = hold;

    /// <summary>The account as it stands after what was decided so far; null where there is none.</summary>
    /// <exception cref="InvalidOperationException">The id was never loaded.</exception>
    public LedgerAccount? Find(LedgerAccountId id) => _accounts.TryGetValue(id, out var account)
        ? account
        : throw new InvalidOperationException("The command did not ask for this ledger account.");

    /// <summary>Opens the owner's account in an asset unless it is open already.</summary>
    /// <returns>Applied, with <c>Replayed</c> set where it was open; or asset unknown.</returns>
    public LedgerOutcome Open(LedgerOwner owner, AssetCode asset)
    {
        var account = LedgerAccount.Open(owner, asset);
        if (Find(account.Id) is not null)
        {
            return new LedgerOutcome(LedgerStatus.Applied, Replayed: true);
        }

        if (!_assets.ContainsKey(asset))
        {
            return new LedgerOutcome(LedgerStatus.AssetUnknown);
        }

        _accounts[account.Id] = account;
        _opened.Add(account.Id);
        return new LedgerOutcome(LedgerStatus.Applied);
    }

    /// <summary>Decides one command. A rejected one is recorded under its id and changes nothing else.</summary>
    /// <param name="now">The deciding clock: the database's, read after the accounts were locked.</param>
    public LedgerOutcome Decide(LedgerCommand command, DateTimeOffset now)
    {
        ArgumentNullException.ThrowIfNull(command);
        var payload = command.HashPayload();
        ref var known = ref CollectionsMarshal.GetValueRefOrNullRef(_transfers, command.Id);
        if (Unsafe.IsNullRef(ref known))
        {
            throw new InvalidOperationException("The command did not ask for its own transfer.");
        }

        if (known is { } earlier)
        {
            return earlier.Payload == payload
                ? new LedgerOutcome(earlier.Status, Replayed: true)
                : new LedgerOutcome(LedgerStatus.IdempotencyConflict);
        }

        var plan = new Plan { Amount = command.Amount };
        var status = Check(command, now, ref plan);
        known = new KnownTransfer(payload, status);
        _rows.Add(new TransferRow(command, plan.Amount, status, payload, now));
        if (status == LedgerStatus.Applied)
        {
            Apply(command, now, plan);
        }

        return new LedgerOutcome(status);
    }

    private void Apply(LedgerCommand command, DateTimeOffset now, in Plan plan)
    {
        Put(plan.Debit, command.Id, now);
        if (plan.Credit is { } credit)
        {
            Put(credit, command.Id, now);
        }

        if (plan.Hold is { } hold)
        {
            _holds[hold.Id] = hold;
            (command.Kind == TransferKind.Hold ? _newHolds : _changedHolds).Add(hold.Id);
        }
    }

    private void Put(in LedgerAccount after, TransferId transfer, DateTimeOffset now)
    {
        var before = _accounts[after.Id]!.Value;
        _accounts[after.Id] = after;
        _changed.Add(after.Id);
        _entries.Add(new EntryRow(
            after.Id, after.Version, transfer, after.Balance - before.Balance, after.Held - before.Held,
            after.Balance, after.Held, now));
    }

    /// <summary>The states a command leads to if nothing speaks against it.</summary>
    private struct Plan
    {
        public AmountMinor Amount;
        public LedgerAccount Debit;
        public LedgerAccount? Credit;
        public LedgerHold? Hold;
    }
}
