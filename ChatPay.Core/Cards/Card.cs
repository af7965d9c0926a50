using ChatPay.Core.Ledger;
using ChatPay.Core.Protocol;

namespace ChatPay.Core.Cards;

/// <summary>A card as it stands: its terms, which never change, and its state, which does.</summary>
/// <param name="Version">1 when posted; each change adds one.</param>
/// <param name="HoldId">The hold with the money of a transfer or packet.</param>
/// <param name="ClosedAt">When it reached its terminal state.</param>
public sealed record Card(
    CardTerms Terms, byte[] DetailCommit, CardState State, int Version, TransferId? HoldId, DateTimeOffset CreatedAt,
    DateTimeOffset ExpiresAt, DateTimeOffset? ClosedAt)
{
    private readonly SharesOnce _shares = new();

    /// <summary>How far it has come beside its state.</summary>
    public CardTally Tally { get; init; } = new();

    /// <summary>Of a random packet, 32 bytes; shown once it is over.</summary>
    public byte[]? Seed { get; init; }

    public bool IsOpen => CardTransitions.IsOpen(State);

    /// <summary>The shares of a packet, in the order in which they are taken.</summary>
    public IReadOnlyList<long> PacketShares() => _shares.Of(this);

    /// <param name="parts">Those to show, of a split or packet.</param>
    /// <param name="drawnMinor">What a draw has just taken.</param>
    public CardView ToView(IReadOnlyList<CardPart>? parts = null, long? drawnMinor = null) => new(
        Terms.Card, Terms.Kind, Terms.Conversation, Terms.Author, Terms.Payer, Terms.Payee, Terms.Money.Amount.Value,
        Terms.Money.Asset.Value, Terms.LifetimeSeconds, DetailCommit, State, Version, CreatedAt, ExpiresAt, ClosedAt,
        Terms.Plan, Tally.ToProgress(this, parts, drawnMinor));

    /// <summary>
    /// A packet's shares never change, so what a card becomes takes them over: a thousand claims that are decided together
    /// compute them once. It is no part of what a card says, so all of them are equal.
    /// </summary>
    private sealed class SharesOnce
    {
        private Divided? _divided;

        public long[] Of(Card card)
        {
            if (_divided is not { } known || !ReferenceEquals(known.Terms, card.Terms) || !ReferenceEquals(known.Seed, card.Seed))
            {
                var plan = card.Terms.Plan!;
                known = new Divided(card.Terms, card.Seed, Cards.PacketShares.Divide(
                    plan.Packet!.Value, card.Terms.Money.Amount.Value, plan.Count!.Value, card.Seed));
                _divided = known;
            }

            return known.Shares;
        }

        public override bool Equals(object? obj) => obj is SharesOnce;

        public override int GetHashCode() => 0;

        private sealed record Divided(CardTerms Terms, byte[]? Seed, long[] Shares);
    }
}

/// <summary>Sums and times of a card.</summary>
/// <param name="Answered">Split: shares that are not open any more. Packet: shares taken.</param>
/// <param name="PaidMinor">Split and packet: what they came to. Mandate: what was drawn in all.</param>
/// <param name="Settlement">The transfer that settled a transfer or request; refunds are of it.</param>
/// <param name="PeriodStart">Mandate: of the period that was last drawn in.</param>
/// <param name="PeriodMinor">Mandate: what was drawn in it.</param>
public sealed record CardTally(
    int Answered = 0, long PaidMinor = 0, long RefundedMinor = 0, TransferId? Settlement = null,
    DateTimeOffset? RemindedAt = null, DateTimeOffset? PeriodStart = null, long PeriodMinor = 0)
{
    internal CardProgress? ToProgress(Card card, IReadOnlyList<CardPart>? parts, long? drawnMinor) => card.Terms.Kind switch
    {
        CardKind.Transfer or CardKind.Request => RefundedMinor == 0 && RemindedAt is null
            ? null
            : new CardProgress(RefundedMinor: RefundedMinor == 0 ? null : RefundedMinor, RemindedAt: RemindedAt),
        CardKind.Split => new CardProgress(Answered, PaidMinor, parts, RemindedAt: RemindedAt),
        CardKind.Packet => new CardProgress(
            Answered, PaidMinor, parts, SeedCommit: card.Seed is { } seed ? PacketShares.CommitTo(seed) : null,
            Seed: card.IsOpen ? null : card.Seed),
        CardKind.Mandate => new CardProgress(
            PaidMinor: PaidMinor, PeriodMinor: PeriodMinor, PeriodStart: PeriodStart, DrawnMinor: drawnMinor),
        _ => null,
    };
}
