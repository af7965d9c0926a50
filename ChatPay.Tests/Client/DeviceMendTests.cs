using ChatPay.Client;
using ChatPay.Core.Protocol;
using ChatPay.Server.Conversations;
using ChatPay.Server.Database;
using ChatPay.Tests.Support;
using Microsoft.Extensions.DependencyInjection;
using Xunit;

namespace ChatPay.Tests.Client;

/// <summary>Devices that the log alone does not bring on: they join again, and nothing comes twice.</summary>
public sealed class DeviceMendTests(ServerFixture server) : IClassFixture<ServerFixture>
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact(Timeout = SdkPerson.TimeoutMs)]
    public async Task Who_missed_commits_that_are_kept_no_longer_joins_again()
    {
        var memory = new MemoryStore();
        var handle = SdkPerson.NewHandle();
        await using var ada = await SdkPerson.JoinAsync(server.Address);
        await using var chiara = await SdkPerson.JoinAsync(server.Address);
        ChatConversation group;
        long read;
        await using (var ben = await SdkPerson.OpenAsync(server.Address, memory, handle))
        {
            group = await ada.Device.CreateGroupAsync("Lunch", [ben.Id], Cancellation);
            await group.SendTextAsync("before", Cancellation);
            await ben.ReadsAsync("before");
            read = ben.Device.Conversation(group.Id).Seq;
        }

        await group.InviteAsync([chiara.Id], Cancellation);
        var gone = await group.SendTextAsync("nobody keeps this", Cancellation);
        await group.SetRetentionAsync(1, Cancellation);
        await AgeAsync(group.Id, gone.Seq);

        // A log that somebody writes to just now is passed over until the next time.
        var sweeper = server.Server.Services.GetRequiredService<RetentionSweeper>();
        await Eventually.TrueAsync(async () => await sweeper.SweepAsync(Cancellation) > 0, "the log is cut");

        await using var again = await SdkPerson.OpenAsync(server.Address, memory, handle);
        var missing = (HistoryMissing)await again.Items.FirstAsync(item => item is HistoryMissing);
        Assert.Equal((read + 1, gone.Seq), (missing.From, missing.Seq));
        await again.SeesAsync(group.Id);
        await group.SendTextAsync("after", Cancellation);
        await again.ReadsAsync("after");
        await again.Device.Conversation(group.Id).SendTextAsync("here again", Cancellation);
        await ada.ReadsAsync("here again");
        await chiara.ReadsAsync("here again");
        Assert.DoesNotContain(again.Items.Items, item => item is Unreadable);
    }

    [Fact(Timeout = SdkPerson.TimeoutMs)]
    public async Task After_a_restored_backup_logs_are_read_again_and_nothing_comes_twice()
    {
        var (memory, other) = (new MemoryStore(), new MemoryStore());
        var (handle, otherHandle) = (SdkPerson.NewHandle(), SdkPerson.NewHandle());
        ConversationId id;
        await using (var first = await TestServer.StartAsync(server.ConnectionString))
        await using (var ada = await SdkPerson.OpenAsync(first.Address, memory, handle))
        await using (var ben = await SdkPerson.OpenAsync(first.Address, other, otherHandle))
        {
            var group = await ada.Device.CreateGroupAsync("Lunch", [ben.Id], Cancellation);
            id = group.Id;
            await group.SendTextAsync("one", Cancellation);
            await ben.ReadsAsync("one");
            await ben.Device.Conversation(id).RenameAsync("Late lunch", Cancellation);
            await ben.Device.Conversation(id).SendTextAsync("two", Cancellation);
            await ada.ReadsAsync("two");
        }

        await using (var renew = server.DataSource.CreateCommand(
            "update lineage set id = gen_random_uuid(), renewed_at = now()"))
        {
            await renew.ExecuteNonQueryAsync(Cancellation);
        }

        await using var second = await TestServer.StartAsync(server.ConnectionString);
        await using var again = await SdkPerson.OpenAsync(second.Address, memory, handle);
        await using var benAgain = await SdkPerson.OpenAsync(second.Address, other, otherHandle);
        await again.Device.Conversation(id).SendTextAsync("three", Cancellation);
        await benAgain.ReadsAsync("three");
        await benAgain.Device.Conversation(id).SendTextAsync("four", Cancellation);
        await again.ReadsAsync("four");
        Assert.Equal(["four"], again.Texts(id).Except(["two"]));
        Assert.Equal(["three"], benAgain.Texts(id));
        Assert.DoesNotContain(
            again.Items.Items.Concat(benAgain.Items.Items), item => item is Unreadable or GroupRenamed);
        Assert.Equal("Late lunch", again.Device.Conversation(id).Name);
    }

    [Fact(Timeout = SdkPerson.TimeoutMs)]
    public async Task A_device_whose_group_is_gone_joins_again()
    {
        var memory = new MemoryStore();
        var handle = SdkPerson.NewHandle();
        await using var ada = await SdkPerson.JoinAsync(server.Address);
        ConversationId id;
        await using (var ben = await SdkPerson.OpenAsync(server.Address, memory, handle))
        {
            var chat = await ada.Device.StartDirectAsync(ben.Id, Cancellation);
            id = chat.Id;
            await chat.SendTextAsync("one", Cancellation);
            await ben.ReadsAsync("one");
        }

        // As where the log and the group did not fit each other, and the program died before it had joined again.
        await memory.WriteAsync(
            [
                new($"group/{id}/facts", null), new($"group/{id}/epoch", null), new($"group/{id}/ratchets", null),
            ],
            Cancellation);
        await using var again = await SdkPerson.OpenAsync(server.Address, memory, handle);
        await (await again.SeesAsync(id)).SendTextAsync("two", Cancellation);
        await ada.ReadsAsync("two");
        await ada.Device.Conversation(id).SendTextAsync("three", Cancellation);
        await again.ReadsAsync("three");
    }

    [Fact(Timeout = SdkPerson.TimeoutMs)]
    public async Task A_device_that_joins_asks_again_with_the_same_commit_where_it_may_have_been_accepted()
    {
        var fault = new HubFault();
        await using var failing = await TestServer.StartAsync(server.ConnectionString, configure: fault.AddTo);
        await using var ada = await SdkPerson.JoinAsync(failing.Address);
        await using var ben = await SdkPerson.JoinAsync(failing.Address);
        var chat = await ada.Device.StartDirectAsync(ben.Id, Cancellation);
        await ben.SeesAsync(chat.Id);
        var commits = new List<string>();
        fault.Around = async (call, carryOut) =>
        {
            var answer = await carryOut();
            if (call.HubMethodArguments is not [CommitRequest request])
            {
                return answer;
            }

            commits.Add(Convert.ToHexString(request.Commit));
            return commits.Count > 1 ? answer : throw new InvalidOperationException("A mistake of the server's.");
        };

        await using var phone = await ben.OnAnotherDeviceAsync();
        await (await phone.SeesAsync(chat.Id)).SendTextAsync("from my phone", Cancellation);
        await ada.ReadsAsync("from my phone");
        Assert.Equal(2, commits.Count);
        Assert.Single(commits.Distinct(StringComparer.Ordinal));
    }

    /// <summary>As if the events up to a seq had been appended ten days ago.</summary>
    private async Task AgeAsync(ConversationId conversation, long upTo)
    {
        await ExecuteAsync(
            """
            update event set created_at = created_at - make_interval(days => 10)
            where conversation_id = $1 and seq <= $2
            """,
            conversation.Value, upTo);
        await ExecuteAsync(
            "update conversation set oldest_at = oldest_at - make_interval(days => 10) where id = $1",
            conversation.Value);
    }

    private async Task ExecuteAsync(string sql, params object[] values)
    {
        await using var command = server.DataSource.CreateCommand(sql, values);
        await command.ExecuteNonQueryAsync(Cancellation);
    }
}
