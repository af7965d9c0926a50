using ChatPay.Core.Ledger;
using ChatPay.Core.Protocol;
using ChatPay.Core.Receipts;

namespace ChatPay.Client;

/// <summary>A receipt that this device has checked: see <see cref="ChatPayDevice.ReceiptAsync"/>.</summary>
/// <param name="View">As the server gave it. Its JSON is what <c>chatpay-verify receipt</c> reads.</param>
/// <param name="Receipt">What the ledger signed.</param>
/// <param name="Trust">
/// Whether the card's terms and details were checked against its author's words on this device: a receipt of a card that it has
/// not read is right by itself, and says nothing of what the card was for.
/// </param>
public sealed record ChatReceipt(ReceiptView View, PaymentReceipt Receipt, CardTrust Trust)
{
    /// <summary>How much moved.</summary>
    public Money Money => Receipt.Transfer.Money;

    /// <summary>Whether the ledger log has it; if not, ask again in a second.</summary>
    public bool IsSealed => View.Seal is not null;

    /// <summary>The receipt as a file, for whoever wants to check it without this device and without the server.</summary>
    /// <example>
    /// <code>await File.WriteAllTextAsync("receipt.json", receipt.ToJson(), cancellationToken);</code>
    /// </example>
    public string ToJson() => System.Text.Json.JsonSerializer.Serialize(View, Internal.WireFormat.Json);
}
