using System.Collections.Concurrent;
using System.Runtime.CompilerServices;
using System.Security.Cryptography;
using ChatPay.Client;
using ChatPay.Client.Internal;
using ChatPay.Core.Cards;
using ChatPay.Core.Ledger;
using ChatPay.Core.Protocol;
using ChatPay.Tests.Support;
using Microsoft.AspNetCore.SignalR;
using Xunit;

namespace ChatPay.Tests.Client;

/// <summary>
/// A server that shows a device another card than was posted, and an author who commits to another than they write: both are
/// seen, and nothing is signed.
/// </summary>
public sealed class DeviceLieTests(ServerFixture server) : IClassFixture<ServerFixture>, IAsyncLifetime
{
    private static readonly AssetCode s_euro = AssetCode.Parse("EUR");

    private readonly HubFault _fault = new();
    private readonly ConcurrentQueue<CardActRequest> _asked = [];
    private TestServer? _liar;

    /// <summary>What the server makes of the cards' events when it is asked for the log; null for the truth.</summary>
    private Func<Event, Event>? _lie;

    /// <summary>Likewise of its answers to what is done with a card.</summary>
    private Func<CardActReply, CardActReply>? _answer;

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    private Uri Address => _liar!.Address;

    public async ValueTask InitializeAsync()
    {
        _fault.Around = AroundAsync;
        _liar = await TestServer.StartAsync(server.ConnectionString, configure: _fault.AddTo);
    }

    public async ValueTask DisposeAsync() => await _liar!.DisposeAsync();

    [Theory(Timeout = SdkPerson.TimeoutMs)]
    [InlineData("payee")]
    [InlineData("payer")]
    [InlineData("amount")]
    [InlineData("asset")]
    [InlineData("kind")]
    [InlineData("lifetime")]
    [InlineData("commitment")]
    [InlineData("id")]
    [InlineData("another conversation's card")]
    [InlineData("state")]
    public async Task A_request_that_the_server_changed_is_a_mismatch_and_is_not_paid(string what)
    {
        var (ada, ben) = await PairAsync();
        await using var author = ada;
        var chat = await ada.Device.StartDirectAsync(ben.Id, Cancellation);
        await ben.SeesAsync(chat.Id);
        await using var third = await SdkPerson.JoinAsync(Address);
        var elsewhere = await ada.Device.CreateGroupAsync("Elsewhere", [ben.Id, third.Id], Cancellation);
        await ben.SeesAsync(elsewhere.Id);
        await ben.DisposeAsync();
        var other = await elsewhere.RequestMoneyAsync(ben.Id, Euros(350), "Coffee", Cancellation);
        var card = await chat.RequestMoneyAsync(ben.Id, Euros(350), "Coffee", Cancellation);
        _lie = logged => logged.Card?.Id != card.Id ? logged : logged with
        {
            Card = what switch
            {
                "payee" => logged.Card with { Payee = third.Id, Author = third.Id },
                "payer" => logged.Card with { Payer = third.Id },
                "amount" => logged.Card with { AmountMinor = 3_500 },
                "asset" => logged.Card with { Asset = "JPY" },
                "kind" => logged.Card with { Kind = CardKind.Transfer },
                "lifetime" => logged.Card with { LifetimeSeconds = 60 },
                "commitment" => logged.Card with { DetailCommit = new byte[32] },
                "id" => logged.Card with { Id = other.Id },
                "another conversation's card" => other.View,
                "state" => logged.Card with { State = CardState.Held },
                _ => throw new ArgumentOutOfRangeException(nameof(what)),
            },
        };

        await using var again = await SdkPerson.OpenAsync(Address, ben.Store, ben.Handle);
        var seen = (CardPosted)await again.Items.FirstAsync(item => item is CardPosted posted && posted.Conversation == chat.Id);
        if (what == "state")
        {
            // Terms and words agree, and an impossible state leaves nothing to do.
            Assert.Empty(seen.Card.ActionsOf(ben.Id));
            return;
        }

        Assert.Equal(CardTrust.Mismatch, seen.Card.Trust);
        Assert.Empty(seen.Card.ActionsOf(ben.Id));
        if (seen.Card.Id == card.Id)
        {
            var refused = await Assert.ThrowsAsync<ChatPayException>(() => again.Device.PayAsync(card.Id, Cancellation));
            Assert.Equal(ClientErrors.CardMismatch, refused.Name);
        }

        Assert.DoesNotContain(_asked, request => request.Action != CardActionKind.Post);
        Assert.Equal(CardState.Open, (await ada.Device.CardAsync(card.Id, Cancellation)).State);
    }

    [Theory(Timeout = SdkPerson.TimeoutMs)]
    [InlineData("a share more")]
    [InlineData("a share less for another")]
    [InlineData("what the author bears")]
    [InlineData("no plan")]
    public async Task A_split_whose_shares_the_server_changed_is_a_mismatch_and_is_not_paid(string what)
    {
        var (ada, ben) = await PairAsync();
        await using var author = ada;
        await using var third = await SdkPerson.JoinAsync(Address);
        var group = await ada.Device.CreateGroupAsync("Table", [ben.Id, third.Id], Cancellation);
        await ben.SeesAsync(group.Id);
        await ben.DisposeAsync();
        var card = await group.SplitAsync([new(ben.Id, 100), new(third.Id, 200)], 0, s_euro, "Dinner", new(), Cancellation);
        _lie = logged => logged.Card is not { Plan: { } plan } view ? logged : logged with
        {
            Card = what switch
            {
                "a share more" => view with { Plan = plan with { Shares = [new(ben.Id, 200), new(third.Id, 100)] } },
                "a share less for another" => view with { Plan = plan with { Shares = [plan.Shares![0], new(third.Id, 1)] } },
                "what the author bears" => view with { Plan = plan with { OwnMinor = 100 } },
                _ => view with { Plan = null },
            },
        };
        await using var again = await SdkPerson.OpenAsync(Address, ben.Store, ben.Handle);
        Assert.Equal(CardTrust.Mismatch, (await again.SeesCardAsync(card.Id)).Trust);
        var refused = await Assert.ThrowsAsync<ChatPayException>(() => again.Device.PayAsync(card.Id, Cancellation));
        Assert.Equal(ClientErrors.CardMismatch, refused.Name);
        Assert.DoesNotContain(_asked, request => request.Action == CardActionKind.Pay);
    }

    [Theory(Timeout = SdkPerson.TimeoutMs)]
    [InlineData(CardState.Accepted)]
    [InlineData(CardState.Held)]
    [InlineData(CardState.Exhausted)]
    public async Task A_state_that_cannot_follow_is_not_believed(CardState state)
    {
        var (ada, ben) = await PairAsync();
        await using var author = ada;
        var chat = await ada.Device.StartDirectAsync(ben.Id, Cancellation);
        await ben.SeesAsync(chat.Id);
        var card = await chat.RequestMoneyAsync(ben.Id, Euros(350), "Coffee", Cancellation);
        Assert.Equal(CardTrust.Verified, (await ben.SeesCardAsync(card.Id)).Trust);
        await ben.DisposeAsync();
        await ada.Device.CancelAsync(card.Id, Cancellation);
        _lie = logged => logged.Kind == EventKind.CardChanged
            ? logged with { Card = logged.Card! with { State = state } } : logged;
        await using var again = await SdkPerson.OpenAsync(Address, ben.Store, ben.Handle);
        var told = (CardChanged)await again.Items.FirstAsync(item => item is CardChanged);
        Assert.Equal((CardTrust.Mismatch, CardState.Open), (told.Card.Trust, told.Card.State));
        Assert.Empty(told.Card.ActionsOf(ben.Id));
    }

    /// <summary>The payee is told that a request is paid, by an answer of the server's to something else.</summary>
    [Fact(Timeout = SdkPerson.TimeoutMs)]
    public async Task An_answer_with_other_terms_or_an_impossible_state_is_not_believed()
    {
        var (ada, ben) = await PairAsync();
        await using var author = ada;
        await using var other = ben;
        var chat = await ada.Device.StartDirectAsync(ben.Id, Cancellation);
        var card = await chat.RequestMoneyAsync(ben.Id, Euros(350), "Coffee", Cancellation);
        _answer = reply => reply with { Card = reply.Card with { AmountMinor = 1 } };
        Assert.Equal(CardTrust.Mismatch, (await ada.Device.RemindAsync(card.Id, Cancellation)).Trust);
        _answer = null;
        var sent = await chat.SendMoneyAsync(ben.Id, Euros(100), "", Cancellation);
        _answer = reply => reply with { Card = reply.Card with { State = CardState.Paid } };
        var believed = await ada.Device.CancelAsync(sent.Id, Cancellation);
        Assert.Equal(CardTrust.Mismatch, believed.Trust);
        Assert.NotEqual(CardState.Paid, believed.State);
    }

    [Theory(Timeout = SdkPerson.TimeoutMs)]
    [InlineData("seed")]
    [InlineData("commitment")]
    [InlineData("share")]
    [InlineData("everything")]
    public async Task A_packet_whose_chance_the_server_made_up_is_a_mismatch(string what)
    {
        var (ada, ben) = await PairAsync();
        await using var author = ada;
        await using var third = await SdkPerson.JoinAsync(Address);
        var group = await ada.Device.CreateGroupAsync("Table", [ben.Id, third.Id], Cancellation);
        await ben.SeesAsync(group.Id);
        var card = await group.SendPacketAsync(Euros(1000), 1, PacketMode.Random, null, "Luck", new(), Cancellation);
        Assert.Equal(CardTrust.Verified, (await ben.SeesCardAsync(card.Id)).Trust);
        await third.SeesCardAsync(card.Id);
        await ben.DisposeAsync();
        await third.Device.ClaimAsync(card.Id, Cancellation);
        var seed = RandomNumberGenerator.GetBytes(PacketShares.SeedSize);
        _lie = logged => logged is not { Kind: EventKind.CardChanged, Card: { Progress: { } told } view } ? logged : logged with
        {
            Card = view with
            {
                Progress = what switch
                {
                    "seed" => told with { Seed = seed },
                    "commitment" => told with { SeedCommit = PacketShares.CommitTo(seed) },
                    "share" => told with { Parts = [told.Parts![0] with { AmountMinor = 999 }] },
                    _ => told with { Seed = seed, SeedCommit = PacketShares.CommitTo(seed) },
                },
            },
        };
        await using var again = await SdkPerson.OpenAsync(Address, ben.Store, ben.Handle);
        var seen = (CardChanged)await again.Items.FirstAsync(item => item is CardChanged);
        Assert.Equal(CardTrust.Mismatch, seen.Card.Trust);
    }

    /// <summary>The author writes one thing and commits to another; the server cannot tell, and the other side can.</summary>
    [Theory(Timeout = SdkPerson.TimeoutMs)]
    [InlineData("memo")]
    [InlineData("amount")]
    [InlineData("card")]
    public async Task An_author_who_shows_other_details_than_committed_to_is_not_paid(string what)
    {
        var (ada, ben) = await PairAsync();
        await using var author = ada;
        await using var other = ben;
        var chat = await ada.Device.StartDirectAsync(ben.Id, Cancellation);
        await ben.SeesAsync(chat.Id);
        var terms = new CardTerms(
            CardKind.Request, new(TestGroup.NewId().Value), chat.Id, ben.Id, ada.Id, Euros(350), 3600);
        var salt = RandomNumberGenerator.GetBytes(Limits.CardSaltBytes);
        var committed = what switch
        {
            "amount" => DetailCommitment.Of(terms with { Money = Euros(35) }, salt, "Coffee"),
            "card" => DetailCommitment.Of(terms with { Card = new(TestGroup.NewId().Value) }, salt, "Coffee"),
            _ => DetailCommitment.Of(terms, salt, "Tea"),
        };
        var posted = new OutboxCard(
            terms.Card, terms.Kind, terms.Payer, terms.Payee, 350, "EUR", 3600, committed, TestGroup.NewId().Value);
        await OutboxOf(ada.Device).SendAsync(
            StateOf(chat), new MessageContent.CardDetails(terms.Card, salt, "Coffee"), new(terms.Card.Value), posted,
            Cancellation);
        var seen = await ben.SeesCardAsync(terms.Card);
        Assert.Equal(CardTrust.Mismatch, seen.Trust);
        Assert.Empty(seen.ActionsOf(ben.Id));
        var refused = await Assert.ThrowsAsync<ChatPayException>(() => ben.Device.PayAsync(terms.Card, Cancellation));
        Assert.Equal(ClientErrors.CardMismatch, refused.Name);
        Assert.DoesNotContain(_asked, request => request.Action == CardActionKind.Pay);
    }

    [UnsafeAccessor(UnsafeAccessorKind.Field, Name = "_outbox")]
    private static extern ref Outbox OutboxOf(ChatPayDevice device);

    [UnsafeAccessor(UnsafeAccessorKind.Field, Name = "_state")]
    private static extern ref ConversationState StateOf(ChatConversation conversation);

    private static Money Euros(long amountMinor) => Money.Of(amountMinor, s_euro);

    private async ValueTask<object?> AroundAsync(HubInvocationContext call, Func<ValueTask<object?>> carryOut)
    {
        if (call.HubMethodArguments is [CardActRequest request])
        {
            _asked.Enqueue(request);
        }

        return await carryOut() switch
        {
            HubReply<SyncReply> { Ok: { } reply } said when _lie is { } lie => said with
            {
                Ok = new([.. reply.Pages.Select(page => page with { Events = [.. page.Events.Select(lie)] })]),
            },
            HubReply<CardActReply> { Ok: { } reply } said when _answer is { } answer => said with { Ok = answer(reply) },
            var truth => truth,
        };
    }

    private async Task<(SdkPerson Ada, SdkPerson Ben)> PairAsync() =>
        (await SdkPerson.JoinAsync(Address), await SdkPerson.JoinAsync(Address));
}
