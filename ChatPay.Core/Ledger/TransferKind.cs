namespace ChatPay.Core.Ledger;

/// <summary>What a transfer row does; numbers are stored.</summary>
public enum TransferKind
{
    /// <summary>Debit to credit at once.</summary>
    Transfer = 1,

    /// <summary>Sets money of the debit account aside.</summary>
    Hold = 2,

    /// <summary>Pays a named amount of a hold out to a credit account.</summary>
    Capture = 3,

    /// <summary>Gives what remains of a hold back.</summary>
    Release = 4,

    /// <summary>As release, once the hold's time is up.</summary>
    Expire = 5,

    /// <summary>Sends money of an earlier movement back to where it came from, in total at most what that moved.</summary>
    Refund = 6,

    /// <summary>As transfer, but of what is there where that is less than what was asked.</summary>
    Balancing = 7,

    /// <summary>As capture, of all that remains.</summary>
    CaptureAll = 8,
}

/// <summary>What each kind does, said once for the rules and for whoever checks them.</summary>
public static class TransferKinds
{
    /// <summary>Whether it pays a credit account.</summary>
    public static bool HasCredit(this TransferKind kind) => kind is TransferKind.Transfer or TransferKind.Capture
        or TransferKind.Refund or TransferKind.Balancing or TransferKind.CaptureAll;

    /// <summary>Whether it acts on a hold that exists.</summary>
    public static bool HasHold(this TransferKind kind) => kind is TransferKind.Capture or TransferKind.Release
        or TransferKind.Expire or TransferKind.CaptureAll;

    /// <summary>Whether its command names an amount; the others move what remains of a hold.</summary>
    public static bool NamesAmount(this TransferKind kind) =>
        kind is not (TransferKind.Release or TransferKind.Expire or TransferKind.CaptureAll);

    /// <summary>Whether it takes from what the account may dispose of, and so is refused while it is frozen.</summary>
    public static bool Spends(this TransferKind kind) => kind is not (TransferKind.Release or TransferKind.Expire);

    /// <summary>Whether what it moved can be refunded.</summary>
    public static bool IsRefundable(this TransferKind kind) => kind is TransferKind.Transfer or TransferKind.Capture
        or TransferKind.Balancing or TransferKind.CaptureAll;
}
