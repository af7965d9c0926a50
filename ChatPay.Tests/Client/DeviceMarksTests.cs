using ChatPay.Client;
using ChatPay.Core.Protocol;
using ChatPay.Tests.Support;
using Xunit;

namespace ChatPay.Tests.Client;

/// <summary>Delivered and read marks, of several conversations at once.</summary>
public sealed class DeviceMarksTests(ServerFixture server) : IClassFixture<ServerFixture>
{
    private const int Chats = 3;

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact(Timeout = SdkPerson.TimeoutMs)]
    public async Task A_conversation_that_was_just_left_costs_the_others_no_marks()
    {
        var fault = new HubFault();
        await using var failing = await TestServer.StartAsync(server.ConnectionString, configure: fault.AddTo);
        await using var ada = await SdkPerson.OpenAsync(
            failing.Address, new MemoryStore(), SdkPerson.NewHandle(),
            options => options with { Timing = SdkPerson.Quick with { Marks = TimeSpan.FromSeconds(1) } });
        await using var ben = await SdkPerson.JoinAsync(failing.Address);
        var chats = new List<ChatConversation>();
        for (var i = 0; i < Chats; i++)
        {
            chats.Add(await ben.Device.CreateGroupAsync($"Group {i}", [ada.Id], Cancellation));
            await ada.SeesAsync(chats[i].Id);
        }

        // As where the account has just left one of them, and has not read of it yet: all of a request or nothing.
        var refused = new Inbox<int>();
        fault.Around = async (call, carryOut) =>
        {
            if (call.HubMethodArguments is not [MarkRequest { Marks: var marks }]
                || marks.All(mark => mark.Conversation != chats[1].Id))
            {
                return await carryOut();
            }

            refused.Add([marks.Count]);
            return new HubReply<Unit>(Error: ErrorBody.From(new Error(ErrorCode.NotMember, "As the test has it.")));
        };
        var sent = await Task.WhenAll(chats.Select(chat => chat.SendTextAsync("hello", Cancellation)));
        await refused.FirstAsync(count => count > 1);
        foreach (var i in new[] { 0, 2 })
        {
            await Eventually.TrueAsync(
                () => Task.FromResult(chats[i].Receipts.Any(
                    receipt => receipt.Account == ada.Id && receipt.Delivered >= sent[i].Seq)),
                $"the mark of conversation {i} has come");
        }
    }
}
