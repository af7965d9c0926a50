namespace ChatPay.Server.Ledger.Verify;

/// <summary>What the applied transfers of one card come to.</summary>
internal struct CardMovements
{
    /// <summary>Payments to somebody, and what they came to.</summary>
    public long Credits;
    public Int128 CreditsMinor;

    /// <summary>The last of them.</summary>
    public StoredTransfer Credit;

    /// <summary>Whether each went from the card's payer, where it has one, and to its payee, where it has one.</summary>
    public bool AreBetweenParties;

    public Int128 RefundsMinor;
}
