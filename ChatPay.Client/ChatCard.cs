using System.Text.Json.Serialization;
using ChatPay.Client.Internal;
using ChatPay.Core.Cards;
using ChatPay.Core.Ledger;
using ChatPay.Core.Protocol;

namespace ChatPay.Client;

/// <summary>What a device can say of a card's terms.</summary>
public enum CardTrust
{
    /// <summary>The terms that the ledger names are what the author's encrypted message commits to.</summary>
    Verified = 1,

    /// <summary>
    /// From before this device joined: there is only the server's word. It shows its state, and a request cannot be
    /// paid.
    /// </summary>
    Unreadable = 2,

    /// <summary>
    /// Between other members: it tells that there is one and where it stands, and neither who pays nor how much.
    /// </summary>
    Hidden = 4,

    /// <summary>
    /// Something contradicts the commitment or an earlier state. Nothing can be done with the card here.
    /// </summary>
    Mismatch = 3,
}

/// <summary>
/// A payment or a request to be paid, as of some moment: its terms, which never change, and its state, which is the
/// ledger's word and nobody else's.
/// </summary>
/// <param name="View">The card as the ledger names it; amounts in minor units.</param>
/// <param name="Memo">What its author wrote on it, possibly nothing; null where this device cannot read it.</param>
/// <param name="Trust">Whether this device has checked the terms.</param>
public sealed record ChatCard(CardView View, string? Memo, CardTrust Trust)
{
    /// <summary>The card's id, chosen by the device that posted it.</summary>
    [JsonIgnore]
    public CardId Id => View.Id;

    /// <summary>Where it was posted.</summary>
    [JsonIgnore]
    public ConversationId Conversation => View.Conversation;

    /// <summary>Whether its author pays, or asks to be paid.</summary>
    [JsonIgnore]
    public CardKind Kind => View.Kind;

    /// <summary>Where it stands.</summary>
    [JsonIgnore]
    public CardState State => View.State;

    /// <summary>How much of which asset, in minor units.</summary>
    /// <exception cref="FormatException">The server named an asset that cannot be one.</exception>
    [JsonIgnore]
    public Money Money => Money.Of(View.AmountMinor, AssetCode.Parse(View.Asset));

    /// <summary>Whose money it is.</summary>
    [JsonIgnore]
    public AccountId Payer => View.Payer;

    /// <summary>Who gets it.</summary>
    [JsonIgnore]
    public AccountId Payee => View.Payee;

    /// <summary>Which of the state machines it goes through.</summary>
    [JsonIgnore]
    public CardForm Form => CardChecks.TermsOf(View)?.Form ?? CardForm.None;

    /// <summary>Whether it can still change.</summary>
    [JsonIgnore]
    public bool IsOpen => CardTransitions.IsOpen(View.State);

    /// <summary>What somebody may do with it now; the ledger decides when it comes to it.</summary>
    /// <param name="account">Whose possibilities are asked for.</param>
    /// <returns>The main one first; empty for a card that is closed or not to be trusted.</returns>
    /// <example>
    /// <code>
    /// if (card.ActionsOf(device.Account.Id).Contains(CardActionKind.Accept))
    /// {
    ///     await device.AcceptAsync(card.Id, cancellationToken);
    /// }
    /// </code>
    /// </example>
    public IReadOnlyList<CardActionKind> ActionsOf(AccountId account)
    {
        if (Trust is CardTrust.Mismatch or CardTrust.Hidden)
        {
            return [];
        }

        return
        [
            .. CardTransitions.All
                .Where(row => row.Form == Form && row.From == State && row.Action is not null && IsFor(row, account))
                .Select(row => row.Action!.Value)
                .Where(action => action != CardActionKind.Pay || Trust == CardTrust.Verified),
        ];
    }

    /// <summary>The parts of a split, or the shares of a packet that were taken, as far as this device has heard.</summary>
    [JsonIgnore]
    public IReadOnlyList<CardPart> Parts =>
        Kind == CardKind.Split ? CardParts.OfSplit(View) : View.Progress?.Parts ?? [];

    private bool IsFor(CardTransition row, AccountId account) => row switch
    {
        { Action: CardActionKind.Remind } => account == Payee && View.Progress?.RemindedAt is null,
        { Money: CardMoney.Refund } => account == Payee && (View.Progress?.RefundedMinor ?? 0) < View.AmountMinor,
        { By: CardParty.Payer } => account == Payer,
        { By: CardParty.Payee } => account == Payee,
        { By: CardParty.Sharer } => Parts.Any(part => part.Account == account && part.State == CardState.Open),
        { By: CardParty.Claimant } => account != Payer && (Payee == CardTerms.Nobody || Payee == account)
            && Parts.All(part => part.Account != account),
        _ => false,
    };
}
