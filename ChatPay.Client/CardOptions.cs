using ChatPay.Core.Protocol;

namespace ChatPay.Client;

/// <summary>What may be chosen about a new card.</summary>
public sealed record CardOptions
{
    /// <summary>
    /// The card's id, for posting it once however often that is asked for, such as <see cref="ChatItem.CardId"/>; null
    /// to choose one.
    /// </summary>
    public CardId? Id { get; init; }

    /// <summary>
    /// Of a transfer: when it arrives; null for one that is held until it is accepted. At once only to somebody whose safety
    /// number was compared (<see cref="ChatPayDevice.VerifyIdentityAsync"/>): nothing brings it back.
    /// </summary>
    public CardDelivery? Delivery { get; init; }

    /// <summary>
    /// How long the other side has, 1 minute to 30 days, in whole seconds; null for a day, of a split a week, for whoever has not
    /// answered it after a day is reminded then. Of a delayed transfer the delay.
    /// </summary>
    public TimeSpan? Lifetime { get; init; }
}
