using ChatPay.Client;
using ChatPay.Core.Ledger;
using ChatPay.Core.Protocol;
using ChatPay.Tests.Support;
using Xunit;

namespace ChatPay.Tests.Client;

/// <summary>Money between devices of the SDK: exact, once, and by the ledger's word.</summary>
public sealed class DeviceCardTests(ServerFixture server) : IClassFixture<ServerFixture>
{
    private static readonly AssetCode s_euro = AssetCode.Parse("EUR");

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact(Timeout = SdkPerson.TimeoutMs)]
    public async Task Money_that_is_sent_moves_when_it_is_accepted_and_returns_when_it_is_not()
    {
        await using var ada = await JoinAsync();
        await using var ben = await JoinAsync();
        var before = await ada.AvailableAsync();
        var chat = await ada.Device.StartDirectAsync(ben.Id, Cancellation);

        var card = await chat.SendMoneyAsync(ben.Id, Euros(1234), "Tram tickets", Cancellation);
        Assert.Equal((CardState.Held, CardTrust.Verified, "Tram tickets"), (card.State, card.Trust, card.Memo));
        Assert.Equal(before - 1234, await ada.AvailableAsync());
        var seen = (CardPosted)await ben.Items.FirstAsync(item => item is CardPosted);
        Assert.Equal((card.Id, CardTrust.Verified, Euros(1234)), (seen.Card.Id, seen.Card.Trust, seen.Card.Money));
        Assert.Equal([CardActionKind.Accept, CardActionKind.Decline], seen.Card.ActionsOf(ben.Id));
        Assert.Equal([CardActionKind.Cancel], seen.Card.ActionsOf(ada.Id));

        var accepted = await ben.Device.AcceptAsync(card.Id, Cancellation);
        Assert.Equal((CardState.Accepted, "Tram tickets"), (accepted.State, accepted.Memo));
        var changed = (CardChanged)await ada.Items.FirstAsync(item => item is CardChanged);
        Assert.Equal((card.Id, CardState.Accepted), (changed.Card.Id, changed.Card.State));
        Assert.Equal((before - 1234, before + 1234), (await ada.AvailableAsync(), await ben.AvailableAsync()));
        var again = await Assert.ThrowsAsync<ChatPayException>(() => ben.Device.DeclineAsync(card.Id, Cancellation));
        Assert.Equal(ErrorCode.CardTerminal, again.Code);

        var second = await chat.SendMoneyAsync(ben.Id, Euros(500), "", Cancellation);
        await ben.Items.FirstAsync(item => item is CardPosted posted && posted.Card.Id == second.Id);
        Assert.Equal(CardState.Declined, (await ben.Device.DeclineAsync(second.Id, Cancellation)).State);
        var third = await chat.SendMoneyAsync(ben.Id, Euros(700), "", Cancellation);
        Assert.Equal(CardState.Cancelled, (await ada.Device.CancelAsync(third.Id, Cancellation)).State);
        Assert.Equal((before - 1234, before + 1234), (await ada.AvailableAsync(), await ben.AvailableAsync()));
    }

    [Fact(Timeout = SdkPerson.TimeoutMs)]
    public async Task Whose_money_may_be_on_its_way_is_told_the_id_to_ask_again_with()
    {
        var fault = new HubFault();
        await using var failing = await TestServer.StartAsync(server.ConnectionString, configure: fault.AddTo);
        await using var ada = await SdkPerson.JoinAsync(failing.Address);
        await using var ben = await SdkPerson.JoinAsync(failing.Address);
        var chat = await ada.Device.StartDirectAsync(ben.Id, Cancellation);
        var asked = new List<CardId>();
        fault.Around = async (call, carryOut) =>
        {
            if (call.HubMethodArguments is not [CardActRequest { Action: CardActionKind.Post } post])
            {
                return await carryOut();
            }

            asked.Add(post.Card);
            throw new InvalidOperationException("A mistake of the server's.");
        };
        var open = await Assert.ThrowsAsync<ChatPayException>(
            () => chat.SendMoneyAsync(ben.Id, Euros(250), "once", Cancellation));
        Assert.Equal((ErrorCode.Internal, asked[0]), (open.Code, open.Card));
        fault.Around = null;
        for (var i = 0; i < 2; i++)
        {
            var card = await chat.SendMoneyAsync(
                ben.Id, Euros(250), "once", new() { Id = open.Card }, Cancellation);
            Assert.Equal((open.Card, CardState.Held), (card.Id, card.State));
        }

        Assert.Equal(250, Assert.Single(await ada.Device.BalancesAsync(Cancellation)).Held.Amount.Value);
        var refused = await Assert.ThrowsAsync<ChatPayException>(
            () => chat.SendMoneyAsync(ben.Id, Euros(0), "nothing", Cancellation));
        Assert.Null(refused.Card);
    }

    [Fact(Timeout = SdkPerson.TimeoutMs)]
    public async Task A_request_is_watched_until_it_is_paid()
    {
        await using var ada = await JoinAsync();
        await using var ben = await JoinAsync();
        var before = await ada.AvailableAsync();
        var chat = await ada.Device.StartDirectAsync(ben.Id, Cancellation);
        var card = await chat.RequestMoneyAsync(
            ben.Id, Euros(350), "Coffee", new() { Lifetime = TimeSpan.FromMinutes(5) }, Cancellation);
        Assert.Equal((CardState.Open, 300), (card.State, card.View.LifetimeSeconds));
        var watching = WatchAsync(ada, card.Id);

        await ben.Items.FirstAsync(item => item is CardPosted { Card.Trust: CardTrust.Verified });
        var paid = await ben.Device.PayAsync(card.Id, Cancellation);

        Assert.Equal(CardState.Paid, paid.State);
        Assert.Equal([CardState.Open, CardState.Paid], await watching);
        Assert.Equal((before + 350, before - 350), (await ada.AvailableAsync(), await ben.AvailableAsync()));
        Assert.Equal([CardState.Paid], await WatchAsync(ben, card.Id));
        await ada.Signals.FirstAsync(signal => signal is WalletSignal { Balances: [{ } now] }
            && now.Available.Amount.Value == before + 350);

        var entries = new List<ChatStatementEntry>();
        await foreach (var entry in ben.Device.StatementAsync(s_euro, null, null, Cancellation))
        {
            entries.Add(entry);
        }

        Assert.Equal(["transfer", "funding"], entries.Select(entry => entry.Entry.Kind));
        Assert.Equal((Euros(-350), Euros(before - 350)), (entries[0].Posted, entries[0].BalanceAfter));
        Assert.Equal(Euros(before), (await ben.Device.BalanceAsync(s_euro, entries[1].Entry.At, Cancellation)).Balance);
        using var csv = new StreamReader(await ben.Device.ExportAsync(s_euro, "csv", null, null, Cancellation));
        Assert.Contains("3.50", await csv.ReadToEndAsync(Cancellation), StringComparison.Ordinal);
    }

    [Fact(Timeout = SdkPerson.TimeoutMs)]
    public async Task A_device_pays_no_request_that_it_could_not_check()
    {
        await using var ada = await JoinAsync();
        await using var ben = await JoinAsync();
        var chat = await ada.Device.StartDirectAsync(ben.Id, Cancellation);
        var card = await chat.RequestMoneyAsync(ben.Id, Euros(350), "Coffee", Cancellation);

        await using var phone = await ben.OnAnotherDeviceAsync();
        await phone.SeesAsync(chat.Id);
        var seen = (CardPosted)await phone.Items.FirstAsync(item => item is CardPosted);
        Assert.Equal((CardTrust.Unreadable, null), (seen.Card.Trust, seen.Card.Memo));
        Assert.Equal([CardActionKind.Decline], seen.Card.ActionsOf(ben.Id));
        var refused = await Assert.ThrowsAsync<ChatPayException>(() => phone.Device.PayAsync(card.Id, Cancellation));
        Assert.Equal(ClientErrors.CardUnreadable, refused.Name);
        Assert.Equal(CardState.Declined, (await phone.Device.DeclineAsync(card.Id, Cancellation)).State);
    }

    [Fact(Timeout = SdkPerson.TimeoutMs)]
    public async Task What_the_ledger_refuses_has_its_code_and_moves_nothing()
    {
        await using var ada = await JoinAsync();
        await using var ben = await JoinAsync();
        await using var other = await JoinAsync();
        var before = await ada.AvailableAsync();
        var chat = await ada.Device.StartDirectAsync(ben.Id, Cancellation);

        Assert.Equal(
            ErrorCode.InsufficientFunds,
            await CodeAsync(chat.SendMoneyAsync(ben.Id, Euros(before + 1), "", Cancellation)));
        Assert.Equal(
            ErrorCode.AmountNotPositive, await CodeAsync(chat.SendMoneyAsync(ben.Id, Euros(0), "", Cancellation)));
        Assert.Equal(ErrorCode.SelfTransfer, await CodeAsync(chat.SendMoneyAsync(ada.Id, Euros(1), "", Cancellation)));
        Assert.Equal(
            ErrorCode.CardPartyNotMember, await CodeAsync(chat.SendMoneyAsync(other.Id, Euros(1), "", Cancellation)));
        Assert.Equal(ErrorCode.AssetUnknown, await CodeAsync(
            chat.SendMoneyAsync(ben.Id, Money.Of(1, AssetCode.Parse("XYZ")), "", Cancellation)));
        Assert.Equal(ErrorCode.CardLifetimeInvalid, await CodeAsync(chat.SendMoneyAsync(
            ben.Id, Euros(1), "", new() { Lifetime = TimeSpan.FromSeconds(1) }, Cancellation)));
        Assert.Equal(before, await ada.AvailableAsync());

        // The refused message's key is skipped, and the next ones open.
        await chat.SendTextAsync("never mind", Cancellation);
        await ben.ReadsAsync("never mind");
    }

    [Fact(Timeout = SdkPerson.TimeoutMs)]
    public async Task The_same_card_is_posted_once_however_often_it_is_asked_for()
    {
        await using var ada = await JoinAsync();
        await using var ben = await JoinAsync();
        var before = await ada.AvailableAsync();
        var chat = await ada.Device.StartDirectAsync(ben.Id, Cancellation);
        var once = new CardOptions { Id = new(chat.Id.Value) };
        var first = await chat.SendMoneyAsync(ben.Id, Euros(100), "once", once, Cancellation);
        var second = await chat.SendMoneyAsync(ben.Id, Euros(100), "once", once, Cancellation);
        Assert.Equal((first.Id, first.View.CreatedAt), (second.Id, second.View.CreatedAt));
        Assert.Equal(
            ErrorCode.CardExists, await CodeAsync(chat.SendMoneyAsync(ben.Id, Euros(200), "once", once, Cancellation)));
        Assert.Equal(before - 100, await ada.AvailableAsync());
    }

    private static Money Euros(long amountMinor) => Money.Of(amountMinor, s_euro);

    private static async Task<ErrorCode> CodeAsync(Task call) =>
        (await Assert.ThrowsAsync<ChatPayException>(() => call)).Code;

    private static async Task<IReadOnlyList<CardState>> WatchAsync(SdkPerson person, CardId card)
    {
        var states = new List<CardState>();
        await foreach (var now in person.Device.WatchCardAsync(card, Cancellation))
        {
            states.Add(now.State);
        }

        return states;
    }

    private Task<SdkPerson> JoinAsync() => SdkPerson.JoinAsync(server.Address);
}
