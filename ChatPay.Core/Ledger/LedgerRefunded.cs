namespace ChatPay.Core.Ledger;

/// <summary>
/// An applied movement as far as refunds are concerned. The row lock of <see cref="Account"/>, which every refund of it
/// debits, guards it.
/// </summary>
/// <param name="Original">The movement.</param>
/// <param name="Account">Who received it, and refunds.</param>
/// <param name="Payer">Who paid it, and is refunded.</param>
/// <param name="Captured">What it moved.</param>
/// <param name="Refunded">What has gone back of that; at most all of it.</param>
public readonly record struct LedgerRefunded(
    TransferId Original, LedgerAccountId Account, LedgerAccountId Payer, AmountMinor Captured, AmountMinor Refunded);
