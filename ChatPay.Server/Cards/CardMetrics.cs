using System.Diagnostics.Metrics;
using ChatPay.Core.Protocol;

namespace ChatPay.Server.Cards;

/// <summary>Meter <c>ChatPay.Cards</c>: how many, never how much nor whose.</summary>
internal static class CardMetrics
{
    private static readonly Meter Meter = new("ChatPay.Cards");

    private static readonly Counter<long> Actions =
        Meter.CreateCounter<long>("chatpay.card_actions", "{action}", "Card actions answered.");

    private static readonly Counter<long> Expiries =
        Meter.CreateCounter<long>("chatpay.card_expiries", "{card}", "Cards closed because their time was up.");

    public static void Acted(CardActionKind action, ErrorCode? code)
    {
        if (Actions.Enabled)
        {
            Actions.Add(
                1, new KeyValuePair<string, object?>("action", action),
                new KeyValuePair<string, object?>("code", code is { } number ? (int)number : 0));
        }
    }

    public static void Expired(int cards) => Expiries.Add(cards);
}
