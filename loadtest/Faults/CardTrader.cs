using ChatPay.Client;
using ChatPay.Core.Protocol;
using ChatPay.LoadTest.Driving;

namespace ChatPay.LoadTest.Faults;

/// <summary>
/// Two people who send each other money: accepted, declined, cancelled, left open, or wanted to be two of these at once.
/// </summary>
internal sealed class CardTrader(
    ConversationId conversation, Participant one, Participant other, HistoryBook book, SplitMix64 random)
{
    private const int AmountMax = 500;
    private const int PauseMaxMs = 4_000;

    /// <summary>
    /// So many wait for an answer at a time; then the oldest is taken back. In a long run all money would wait else, and no card
    /// action would be on its way when one is to be lost.
    /// </summary>
    private const int WaitingMax = 8;

    /// <summary>What the rules may say to somebody who comes too late, or has too little.</summary>
    private static readonly ErrorCode[] s_expected =
    [
        ErrorCode.CardTerminal, ErrorCode.CardVersionStale, ErrorCode.InsufficientFunds, ErrorCode.TooManyOpenCards,
    ];

    private readonly Queue<(Participant Payer, CardView Card)> _waiting = [];
    private SplitMix64 _random = random;

    public async Task RunAsync(CancellationToken enough)
    {
        while (!enough.IsCancellationRequested)
        {
            await Task.Delay(_random.Below(PauseMaxMs), CancellationToken.None);
            var (payer, payee) = _random.Below(2) == 0 ? (one, other) : (other, one);
            if (await PostAsync(payer, payee) is not { } card)
            {
                continue;
            }

            switch (_random.Below(6))
            {
                case 0:
                    await ActAsync(payee, card, CardActionKind.Accept);
                    break;
                case 1:
                    await ActAsync(payee, card, CardActionKind.Decline);
                    break;
                case 2:
                    await ActAsync(payer, card, CardActionKind.Cancel);
                    break;
                case 3:
                    await Task.WhenAll(
                        ActAsync(payee, card, CardActionKind.Accept), ActAsync(payer, card, CardActionKind.Cancel));
                    break;
                case 4:
                    await Task.WhenAll(
                        ActAsync(payee, card, CardActionKind.Accept), ActAsync(payee, card, CardActionKind.Decline));
                    break;
                default:
                    await LeaveAsync(payer, card);
                    break;
            }
        }
    }

    /// <summary>It waits for an answer that does not come, and one that has waited for long is taken back.</summary>
    private async Task LeaveAsync(Participant payer, CardView card)
    {
        _waiting.Enqueue((payer, card));
        if (_waiting.Count > WaitingMax)
        {
            var (first, oldest) = _waiting.Dequeue();
            await ActAsync(first, oldest, CardActionKind.Cancel);
        }
    }

    private async Task<CardView?> PostAsync(Participant payer, Participant payee)
    {
        var request = SealedBodies.Transfer(conversation, payer, payee.Account, 1 + _random.Below(AmountMax));
        var name = new MessageName(conversation, payer.Device, request.Post!.ClientId);
        book.Attempt(name);
        if (await CallAsync(payer, request) is not { } reply)
        {
            return null;
        }

        book.Acknowledge(name, reply.Seq);
        return reply.Card;
    }

    private Task<CardActReply?> ActAsync(Participant actor, CardView card, CardActionKind action) =>
        CallAsync(actor, SealedBodies.Act(card, action));

    private async Task<CardActReply?> CallAsync(Participant actor, CardActRequest request)
    {
        try
        {
            var reply = await actor.Session.CardActAsync(request, CancellationToken.None);
            book.AcknowledgeCard(conversation, reply);
            return reply;
        }
        catch (ChatPayException refused) when (s_expected.Contains(refused.Code))
        {
            book.Refused();
            return null;
        }
    }
}
