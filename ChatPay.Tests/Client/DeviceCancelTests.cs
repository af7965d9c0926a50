using ChatPay.Client;
using ChatPay.Core.Ledger;
using ChatPay.Tests.Support;
using Xunit;

namespace ChatPay.Tests.Client;

/// <summary>Calls that are given up at any write of theirs: the device is as whole as before.</summary>
public sealed class DeviceCancelTests(ServerFixture server) : IClassFixture<ServerFixture>
{
    private const int Writes = 4;

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact(Timeout = SdkPerson.TimeoutMs)]
    public async Task Whatever_is_given_up_the_device_goes_on()
    {
        var (left, caller) = (0, new CancellationTokenSource());
        var store = new WatchedStore(new MemoryStore())
        {
            // Whoever calls gives up just when a write of theirs begins; the store heeds that, as any may.
            Writing = _ => Interlocked.Decrement(ref left) == 0 ? caller.CancelAsync() : Task.CompletedTask,
        };
        await using var ada = await SdkPerson.JoinAsync(server.Address, store);
        await using var ben = await SdkPerson.JoinAsync(server.Address);
        await using var chiara = await SdkPerson.JoinAsync(server.Address);
        var chat = await ada.Device.StartDirectAsync(ben.Id, Cancellation);
        var group = await ada.Device.CreateGroupAsync("Lunch", [ben.Id], Cancellation);
        await ben.SeesAsync(group.Id);
        var money = Money.Of(100, AssetCode.Parse("EUR"));
        Func<CancellationToken, Task>[] calls =
        [
            token => chat.SendTextAsync("perhaps", token),
            token => chat.RequestMoneyAsync(ben.Id, money, "perhaps", token),
            token => group.RenameAsync("Late lunch", token),
            token => group.InviteAsync([chiara.Id], token),
            token => group.RemoveAsync(chiara.Id, token),
            token => ada.Device.CreateGroupAsync("Another", [ben.Id], token),
            token => ada.Device.StartDirectAsync(chiara.Id, token),
            token => chat.MarkReadAsync(chat.Seq, token),
        ];
        var given = 0;
        for (var i = 0; i < calls.Length * Writes; i++)
        {
            using var giveUp = new CancellationTokenSource();
            caller = giveUp;
            Volatile.Write(ref left, 1 + (i % Writes));
            var failure = await Record.ExceptionAsync(() => calls[i / Writes](giveUp.Token));
            Assert.True(failure is null or OperationCanceledException or ChatPayException, failure?.ToString());
            Assert.NotEqual(ClientErrors.StoreFailed, (failure as ChatPayException)?.Name);
            given += failure is OperationCanceledException ? 1 : 0;
            foreach (var conversation in new[] { chat, group })
            {
                await conversation.SendTextAsync($"{i}", Cancellation);
            }
        }

        Assert.True(given >= calls.Length, $"Only {given} calls were given up.");
        await ben.ReadsAsync($"{(calls.Length * Writes) - 1}");
        foreach (var conversation in new[] { chat, group })
        {
            await ben.Items.FirstAsync(item => item is TextMessage last && last.Conversation == conversation.Id
                && last.Text == $"{(calls.Length * Writes) - 1}");
            Assert.Equal(
                Enumerable.Range(0, calls.Length * Writes).Select(i => $"{i}"),
                ben.Texts(conversation.Id).Where(text => text != "perhaps"));
        }

        Assert.InRange(ben.Texts(chat.Id).Count(text => text == "perhaps"), 0, Writes);
        Assert.DoesNotContain(
            ada.Items.Items.Concat(ben.Items.Items).Concat(chiara.Items.Items), item => item is Unreadable);
    }
}
