using ChatPay.Core.Ledger;
using ChatPay.Core.Protocol;
using static System.FormattableString;

namespace ChatPay.Server.Ledger.Verify;

/// <summary>One account while its entries go by, then what it holds, then what was done to it.</summary>
/// <param name="account">Null where there is no such account; then only sides and entries are compared.</param>
internal sealed class AccountWalk(UInt128 id, AccountRow? account, VerifyFindings findings)
{
    private Int128 _balance;
    private Int128 _held;
    private long _version;
    private long? _lastAt;
    private LedgerAccountState _state = LedgerAccountState.Open;
    private long? _closedAt;

    public UInt128 Id => id;

    public AccountRow? Account => account;

    /// <summary>The sum of all changes of balance.</summary>
    public Int128 PostedMinor { get; private set; }

    /// <summary>The next entry, and the sides of transfers that belong there.</summary>
    public void Step(in EntryRow entry, List<(SideRow Side, bool IsDebit)> sides)
    {
        if (entry.Version != _version + 1)
        {
            findings.Add(id, entry.Version, entry.Transfer, Invariant($"follows version {_version}"));
        }

        Compare(entry, sides);
        _version = entry.Version;
        _balance += entry.PostedMinor;
        _held += entry.HeldMinor;
        PostedMinor += entry.PostedMinor;
        if (_balance != entry.BalanceAfterMinor || _held != entry.HeldAfterMinor)
        {
            findings.Add(id, entry.Version, entry.Transfer, Invariant($"entries give balance {_balance} and held {_held}, ")
                + Invariant($"the entry says {entry.BalanceAfterMinor} and {entry.HeldAfterMinor}"));
        }

        if (_held < 0 || (account is { Guarded: true } && _held > _balance))
        {
            findings.Add(
                id, entry.Version, entry.Transfer,
                Invariant($"balance {_balance} and held {_held} are below the floor"));
        }

        if (_lastAt > entry.At)
        {
            findings.Add(
                id, entry.Version, entry.Transfer, $"is of {entry.At.ToTime()}, the one before of {_lastAt.ToTime()}");
        }

        // Go on from what the entry says, so that one altered entry is one finding and not thousands.
        (_balance, _held, _lastAt) = (entry.BalanceAfterMinor, entry.HeldAfterMinor, entry.At);
    }

    /// <summary>A version at which transfers say that there is an entry.</summary>
    public void Missing(long version, List<(SideRow Side, bool IsDebit)> sides)
    {
        foreach (var (side, isDebit) in sides)
        {
            var (posted, held) = side.Deltas(isDebit);
            findings.Add(id, version, side.Transfer, Invariant($"the entry of its {Word(isDebit)} of {posted} ")
                + Invariant($"and held {held} is missing"));
        }
    }

    public void CheckHeld(Int128 remaining)
    {
        if (account is { } row && row.HeldMinor != remaining)
        {
            findings.Add(Invariant(
                $"account {id.ToGuid()}: holds {row.HeldMinor}, its open holds have {remaining}"));
        }
    }

    public void Change(in ChangeRow change)
    {
        var name = Invariant($"change {change.Id.ToGuid()} of account {id.ToGuid()}");
        if (!Enum.IsDefined(change.Kind))
        {
            findings.Add(Invariant($"{name}: there is no kind {(short)change.Kind}"));
            return;
        }

        if (change.Status is not (LedgerStatus.Applied or LedgerStatus.AccountUnknown or LedgerStatus.AccountClosed
            or LedgerStatus.AccountNotEmpty))
        {
            findings.Add(Invariant($"{name}: a change cannot end as {change.Status}"));
        }

        if (account is null && change.Status != LedgerStatus.AccountUnknown)
        {
            findings.Add($"{name}: ended as {change.Status}, but there is no such account");
        }

        if (!IsAsDecided(change))
        {
            findings.Add($"{name}: differs from what was decided (payload hash)");
        }

        if (change.Status != LedgerStatus.Applied)
        {
            return;
        }

        var next = change.Kind switch
        {
            AccountChangeKind.Freeze => LedgerAccountState.Frozen,
            AccountChangeKind.Unfreeze => LedgerAccountState.Open,
            _ => LedgerAccountState.Closed,
        };
        if (_state == LedgerAccountState.Closed && next != LedgerAccountState.Closed)
        {
            findings.Add($"{name}: was applied to an account that was closed already");
        }

        _closedAt ??= next == LedgerAccountState.Closed ? change.At : null;
        _state = next;
    }

    /// <summary>The account's own row against all that went by.</summary>
    public void Finish()
    {
        if (account is not { } row)
        {
            return;
        }

        if (_version != row.Version || _balance != row.BalanceMinor || _held != row.HeldMinor)
        {
            findings.Add(Invariant($"account {id.ToGuid()}: entries end at version {_version} ")
                + Invariant($"with balance {_balance} and held {_held}, ")
                + Invariant($"the account says version {row.Version}, {row.BalanceMinor} and {row.HeldMinor}"));
        }

        if (_lastAt != row.LastEntryAt)
        {
            findings.Add($"account {id.ToGuid()}: its last entry is of {_lastAt.ToTime()}, "
                + $"the account says {row.LastEntryAt.ToTime()}");
        }

        if (_state != row.State)
        {
            findings.Add($"account {id.ToGuid()}: it is {row.State}, its changes say {_state}");
        }

        CheckIdentity(row);
        if (row.State == LedgerAccountState.Closed && (row.BalanceMinor != 0 || row.HeldMinor != 0))
        {
            findings.Add(Invariant($"account {id.ToGuid()}: is closed ")
                + Invariant($"and has balance {row.BalanceMinor} and held {row.HeldMinor}"));
        }

        if (_closedAt < _lastAt)
        {
            findings.Add($"account {id.ToGuid()}: was closed at {_closedAt.ToTime()}, "
                + $"its last entry is of {_lastAt.ToTime()}");
        }
    }

    /// <summary>
    /// An id follows from owner and asset, and the floor from the owner: so nobody is given another's account, and nobody may
    /// owe who was not to.
    /// </summary>
    private void CheckIdentity(in AccountRow row)
    {
        var opened = row.AsOpened();
        if (opened?.Id.Value != id.ToGuid())
        {
            var owner = row.Owner is { } person ? person.ToGuid().ToString() : $"the system's {row.SystemName}";
            findings.Add($"account {id.ToGuid()}: its owner is {owner} and its asset {row.Asset}, its id is of others");
        }

        // One of the system's own may be guarded as well, such as a stock that must not be oversold.
        if (opened is { Guarded: true } && !row.Guarded)
        {
            findings.Add($"account {id.ToGuid()}: may owe, but may not by its owner");
        }
    }

    private static string Word(bool isDebit) => isDebit ? "debit" : "credit";

    private static bool IsAsDecided(in ChangeRow change)
    {
        if (string.IsNullOrWhiteSpace(change.Reason) || change.Reason.Length > Limits.LedgerReasonMaxChars)
        {
            return false;
        }

        AccountId? actor = change.Actor is { } value ? new AccountId(value.ToGuid()) : null;
        return change.Payload == AccountChange.Of(
            change.Kind, new(change.Id.ToGuid()), new(change.Account.ToGuid()), change.Reason, actor).HashPayload();
    }

    /// <summary>An entry is the side of exactly one transfer, and says what that does.</summary>
    private void Compare(in EntryRow entry, List<(SideRow Side, bool IsDebit)> sides)
    {
        var matched = false;
        foreach (var (side, isDebit) in sides)
        {
            if (side.Transfer != entry.Transfer || matched)
            {
                findings.Add(
                    id, entry.Version, entry.Transfer,
                    $"transfer {side.Transfer.ToGuid()} says that the entry here is its {Word(isDebit)}");
                continue;
            }

            matched = true;
            var (posted, held) = side.Deltas(isDebit);
            if (entry.PostedMinor != posted || entry.HeldMinor != held)
            {
                findings.Add(id, entry.Version, entry.Transfer, Invariant($"a {side.Kind} of {side.AmountMinor} ")
                    + Invariant($"{Word(isDebit)}s {posted} and held {held}, ")
                    + Invariant($"the entry says {entry.PostedMinor} and {entry.HeldMinor}"));
            }

            if (entry.At != side.At)
            {
                findings.Add(
                    id, entry.Version, entry.Transfer, $"is of {entry.At.ToTime()}, its transfer of {side.At.ToTime()}");
            }

            if (account is { } row && row.Asset != side.Asset)
            {
                findings.Add(
                    id, entry.Version, entry.Transfer, $"moves {side.Asset} on an account that holds {row.Asset}");
            }
        }

        if (!matched)
        {
            findings.Add(
                id, entry.Version, entry.Transfer,
                Invariant($"no applied transfer of that id has its entry here ({entry.PostedMinor}, {entry.HeldMinor})"));
        }
    }
}
