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
    private readonly Dictionary<LedgerAccountId, Slot<LedgerAccount>> _accounts = [];
    private readonly Dictionary<TransferId, KnownTransfer?> _transfers = [];
    private readonly Dictionary<TransferId, Slot<LedgerHold>> _holds = [];
    private readonly Dictionary<TransferId, Slot<LedgerRefunded>> _refunds = [];
    private readonly Dictionary<LedgerGroupId, bool> _groups = [];
    private readonly Dictionary<AccountChangeId, KnownChange?> _changes = [];
    private readonly List<TransferRow> _rows = [];
    private readonly List<EntryRow> _entries = [];
    private readonly List<AccountChangeRow> _changeRows = [];

    public LedgerBook(IEnumerable<Asset> assets) => _assets = assets.ToDictionary(asset => asset.Code);

    /// <summary>Accounts that did not exist before, as they are now.</summary>
    public IEnumerable<LedgerAccount> Opened =>
        _accounts.Values.Where(slot => slot.Loaded is null && slot.Now is not null).Select(slot => slot.Now!.Value);

    /// <summary>Accounts that existed before and have new entries or another state.</summary>
    public IEnumerable<LedgerAccountStep> Changed => Existing.Where(step => step.IsChange);

    /// <summary>Accounts that existed before and are as they were.</summary>
    public IEnumerable<LedgerAccount> Unchanged => Existing.Where(step => !step.IsChange).Select(step => step.Now);

    private IEnumerable<LedgerAccountStep> Existing => _accounts.Values
        .Where(slot => slot is { Loaded: not null, Now: not null })
        .Select(slot => new LedgerAccountStep(slot.Loaded!.Value, slot.Now!.Value));

    /// <summary>Holds that did not exist before, as they are now: possibly closed already.</summary>
    public IEnumerable<LedgerHold> NewHolds =>
        _holds.Values.Where(slot => slot.Loaded is null && slot.Now is not null).Select(slot => slot.Now!.Value);

    /// <summary>Holds that existed before and changed.</summary>
    public IEnumerable<LedgerHold> ChangedHolds => _holds.Values
        .Where(slot => slot is { Loaded: { } before, Now: { } now } && before != now).Select(slot => slot.Now!.Value);

    /// <summary>Movements of which more has been refunded than before.</summary>
    public IEnumerable<LedgerRefunded> Refunded => _refunds.Values
        .Where(slot => slot.Now is { } now && now.Refunded > (slot.Loaded?.Refunded ?? AmountMinor.Zero))
        .Select(slot => slot.Now!.Value);

    /// <summary>Every command decided for the first time, in order, rejected ones too.</summary>
    public IReadOnlyList<TransferRow> Transfers => _rows;

    /// <summary>The entries of the applied ones, in order.</summary>
    public IReadOnlyList<EntryRow> Entries => _entries;

    /// <summary>Every change of an account decided for the first time, in order, rejected ones too.</summary>
    public IReadOnlyList<AccountChangeRow> AccountChanges => _changeRows;

    /// <summary>Makes room for so much, which growing step by step would take several times.</summary>
    public void Expect(int accounts, int transfers, int holds)
    {
        _accounts.EnsureCapacity(accounts);
        _transfers.EnsureCapacity(transfers);
        _holds.EnsureCapacity(holds);
        _rows.EnsureCapacity(transfers);
        _entries.EnsureCapacity(2 * transfers);
    }

    /// <param name="account">Null where the database has no such account.</param>
    public void Load(LedgerAccountId id, LedgerAccount? account) => _accounts[id] = new(account);

    /// <param name="transfer">Null where the database has no such transfer.</param>
    public void Load(TransferId id, KnownTransfer? transfer) => _transfers[id] = transfer;

    /// <param name="hold">Null where the database has no such hold.</param>
    public void LoadHold(TransferId id, LedgerHold? hold) => _holds[id] = new(hold);

    /// <param name="movement">Null where the database has no such movement, or it is none that can be refunded.</param>
    public void LoadRefundable(TransferId id, LedgerRefunded? movement) => _refunds[id] = new(movement);

    /// <param name="known">Whether the database has transfers of this group.</param>
    public void Load(LedgerGroupId id, bool known) => _groups[id] = known;

    /// <param name="change">Null where the database has no such change.</param>
    public void Load(AccountChangeId id, KnownChange? change) => _changes[id] = change;

    /// <summary>The account as it stands after what was decided so far; null where there is none.</summary>
    /// <exception cref="InvalidOperationException">The id was never loaded.</exception>
    public LedgerAccount? Find(LedgerAccountId id) => _accounts.TryGetValue(id, out var slot)
        ? slot.Now
        : throw new InvalidOperationException("The command did not ask for this ledger account.");

    /// <summary>Decides one command. A rejected one is recorded under its id and changes nothing else.</summary>
    /// <param name="now">The deciding clock: the database's, read after the accounts were locked.</param>
    public LedgerOutcome Decide(LedgerCommand command, DateTimeOffset now)
    {
        ArgumentNullException.ThrowIfNull(command);
        if (command.Group is not null)
        {
            throw new InvalidOperationException("A member of a group is not decided without the others.");
        }

        var payload = command.HashPayload();
        ref var known = ref Known(command.Id);
        if (known is { } earlier)
        {
            return Replay(earlier, payload);
        }

        var plan = new Plan { Amount = command.Amount, At = now };
        var status = Check(command, ref plan);
        if (status == LedgerStatus.Applied)
        {
            Apply(command, plan);
        }

        return Record(command, payload, status, plan, ref known);
    }

    /// <summary>
    /// What <see cref="Decide(LedgerCommand, DateTimeOffset)"/> would say, recorded nowhere: for a command whose id follows
    /// from what causes it, so that no later try could have another one, and a rejection would be the last word.
    /// </summary>
    public LedgerOutcome Foresee(LedgerCommand command, DateTimeOffset now)
    {
        ArgumentNullException.ThrowIfNull(command);
        if (Known(command.Id) is { } earlier)
        {
            return Replay(earlier, command.HashPayload());
        }

        var plan = new Plan { Amount = command.Amount, At = now };
        var status = Check(command, ref plan);
        return new LedgerOutcome(status, status == LedgerStatus.Applied ? plan.Amount : default);
    }

    private ref KnownTransfer? Known(TransferId id)
    {
        ref var known = ref CollectionsMarshal.GetValueRefOrNullRef(_transfers, id);
        if (Unsafe.IsNullRef(ref known))
        {
            throw new InvalidOperationException("The command did not ask for its own transfer.");
        }

        return ref known;
    }

    private static LedgerOutcome Replay(in KnownTransfer earlier, PayloadHash payload) => earlier.Payload != payload
        ? new LedgerOutcome(LedgerStatus.IdempotencyConflict)
        : earlier.Status == LedgerStatus.Applied
            ? new LedgerOutcome(earlier.Status, earlier.Amount, Replayed: true)
            : new LedgerOutcome(earlier.Status, Replayed: true);

    private LedgerOutcome Record(
        LedgerCommand command, PayloadHash payload, LedgerStatus status, in Plan plan, ref KnownTransfer? known)
    {
        var applied = status == LedgerStatus.Applied;
        var amount = applied ? plan.Amount : command.Amount;
        known = new KnownTransfer(payload, status, amount);
        _rows.Add(new TransferRow(
            command, amount, status, payload, plan.At, applied ? plan.Debit.Version : null,
            applied ? plan.Credit?.Version : null));
        return new LedgerOutcome(status, applied ? amount : default);
    }

    private void Apply(LedgerCommand command, in Plan plan)
    {
        Post(plan.Debit, command.Id, plan.At);
        if (plan.Credit is { } credit)
        {
            Post(credit, command.Id, plan.At);
        }

        if (plan.Hold is { } hold)
        {
            Set(_holds, hold.Id, hold, _undo?.Holds);
        }

        if (plan.Refunded is { } refunded)
        {
            Set(_refunds, refunded.Original, refunded, _undo?.Refunds);
        }

        // A later command of this batch may refund this one; if so, it asked for it by name.
        if (command.Kind.IsRefundable() && _refunds.ContainsKey(command.Id))
        {
            var refundable = new LedgerRefunded(
                command.Id, plan.Credit!.Value.Id, plan.Debit.Id, plan.Amount, AmountMinor.Zero);
            Set(_refunds, command.Id, refundable, _undo?.Refunds);
        }
    }

    private void Post(in LedgerAccount after, TransferId transfer, DateTimeOffset at)
    {
        var before = Set(_accounts, after.Id, after, _undo?.Accounts)!.Value;
        _entries.Add(new EntryRow(
            after.Id, after.Version, transfer, after.Balance - before.Balance, after.Held - before.Held,
            after.Balance, after.Held, at));
    }

    /// <summary>Changes a state, noting the one before for a group that may have to be undone.</summary>
    private static T? Set<TId, T>(Dictionary<TId, Slot<T>> slots, TId id, T now, List<(TId Id, T? Before)>? undo)
        where TId : notnull
        where T : struct
    {
        ref var slot = ref CollectionsMarshal.GetValueRefOrAddDefault(slots, id, out _);
        var before = slot.Now;
        slot.Now = now;
        undo?.Add((id, before));
        return before;
    }

    /// <summary>A state as it was loaded, null for none, and as it stands.</summary>
    private struct Slot<T>(T? loaded)
        where T : struct
    {
        public readonly T? Loaded = loaded;

        public T? Now = loaded;
    }

    /// <summary>The states a command leads to if nothing speaks against it.</summary>
    private struct Plan
    {
        public AmountMinor Amount;
        public DateTimeOffset At;
        public LedgerAccount Debit;
        public LedgerAccount? Credit;
        public LedgerHold? Hold;
        public LedgerRefunded? Refunded;
    }
}
