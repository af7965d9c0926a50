using System.Text.Json.Nodes;
using ChatPay.Client;
using ChatPay.Core.Archive;
using ChatPay.Tests.Support;
using Npgsql;
using Xunit;

namespace ChatPay.Tests.Client;

/// <summary>What waits to be archived: how much of it, and of which conversations.</summary>
public sealed class ArchiveQueueTests(PostgresFixture postgres)
{
    private const int Room = 3;

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Theory(Timeout = SdkPerson.TimeoutMs)]
    [InlineData(false)]
    [InlineData(true)]
    public async Task What_a_full_queue_has_no_room_for_is_archived_later_and_each_message_once(bool startsAnew)
    {
        var (fault, isOpen) = (new HttpFault(), new TaskCompletionSource());
        await using var server = await TestServer.StartAsync(await postgres.CreateDatabaseAsync(), configure: fault.AddTo);
        fault.Around = async (context, carryOut) =>
        {
            if (context.Request.Path.Value!.Contains("/chunks/", StringComparison.Ordinal))
            {
                await isOpen.Task.WaitAsync(context.RequestAborted);
            }

            await carryOut();
        };
        var memory = new MemoryStore();
        await using var ben = await SdkPerson.JoinAsync(server.Address);
        await using var eve = await SdkPerson.JoinAsync(server.Address);
        await using var first = await SdkPerson.JoinAsync(server.Address, memory, Little);
        var ada = first;
        await ada.Device.SetPinAsync(ArchiveDesk.Pin, Cancellation);
        await ada.Device.TurnOnArchiveAsync(Cancellation);
        var toBen = await ada.Device.StartDirectAsync(ben.Id, Cancellation);
        var toEve = await ada.Device.StartDirectAsync(eve.Id, Cancellation);
        var bens = await ben.SeesAsync(toBen.Id);
        for (var number = 0; number < 10; number++)
        {
            await toBen.SendTextAsync($"ben {number}", Cancellation);
            await bens.SendTextAsync($"ada {number}", Cancellation);
            await ada.ReadsAsync($"ada {number}");
            await toEve.SendTextAsync($"eve {number}", Cancellation);
        }

        Assert.InRange((await ada.Device.ArchiveStateAsync(Cancellation)).Waiting, 1, 2 * Room);
        Assert.NotEmpty(await memory.ListAsync(new StoreQuery("archive/gap/"), Cancellation));
        if (startsAnew)
        {
            await first.Device.DisposeAsync();
        }

        await using var again = startsAnew ? await SdkPerson.OpenAsync(server.Address, memory, first.Handle, Little) : null;
        ada = again ?? first;
        isOpen.SetResult();
        string[] said =
        [
            .. Enumerable.Range(0, 10).SelectMany(number => new[] { $"ben {number}", $"ada {number}", $"eve {number}" }),
        ];
        await Eventually.TrueAsync(
            async () => (await TextsAsync(ada)).ToHashSet(StringComparer.Ordinal).SetEquals(said)
                && (await ada.Device.ArchiveStateAsync(Cancellation)).Waiting == 0,
            "everything is archived");
        Assert.Empty(await memory.ListAsync(new StoreQuery("archive/gap/"), Cancellation));

        // From here on it goes straight into the queue again.
        await ada.Device.Conversation(toEve.Id).SendTextAsync("the last", Cancellation);
        await Eventually.TrueAsync(
            async () => (await TextsAsync(ada)).Contains("the last", StringComparer.Ordinal), "so is the last one");
        Assert.Equal(
            said.Append("the last").Order(StringComparer.Ordinal), (await TextsAsync(ada)).Order(StringComparer.Ordinal));
    }

    [Fact(Timeout = SdkPerson.TimeoutMs)]
    public async Task The_servers_own_retention_counts_as_much_as_a_conversations_and_after_one_ends_too()
    {
        var database = await postgres.CreateDatabaseAsync();
        await using var server = await TestServer.StartAsync(
            database, new Dictionary<string, string?>(StringComparer.Ordinal) { ["Conversations:RetentionDays"] = "30" });
        await using var source = NpgsqlDataSource.Create(database);
        var desk = new ArchiveDesk(server.Address, source);
        await using var ada = await desk.KeepAsync();
        await using var ben = await SdkPerson.JoinAsync(server.Address);
        var chat = await ada.Device.StartDirectAsync(ben.Id, Cancellation);
        Assert.Equal(30, chat.RetentionDays);
        await chat.SendTextAsync("for a month", Cancellation);
        await chat.SetRetentionAsync(1, Cancellation);
        await Eventually.TrueAsync(() => Task.FromResult(chat.RetentionDays == 1), "it has a retention of its own");
        await chat.SendTextAsync("for a day", Cancellation);
        await chat.SetRetentionAsync(null, Cancellation);
        await Eventually.TrueAsync(() => Task.FromResult(chat.RetentionDays is not 1), "it has none of its own any more");
        await chat.SendTextAsync("for a month again", Cancellation);
        await Eventually.TrueAsync(
            async () => chat.RetentionDays == 30 && (await ada.Device.ArchiveStateAsync(Cancellation)).Waiting == 0,
            "the archive has asked what the default is");

        // Nor is it when the archive begins with what is in the history.
        await ada.Device.TurnOffArchiveAsync(Cancellation);
        await ada.Device.TurnOnArchiveAsync(Cancellation);
        await Eventually.TrueAsync(
            async () => await ada.Store.ReadAsync("archive/state", Cancellation) is { } state
                && JsonNode.Parse(state)!["backfill"] is null,
            "the history has been looked at");
        Assert.Equal(0, (await ada.Device.ArchiveStateAsync(Cancellation)).Waiting);
        Assert.Equal(0, await desk.CountAsync(ada.Id, "archive_chunk"));
    }

    private static ChatPayDeviceOptions Little(ChatPayDeviceOptions options) => options with { MaxWaitingForArchive = Room };

    /// <summary>All texts of a device's own stream, as often as they stand in it.</summary>
    private static async Task<List<string>> TextsAsync(SdkPerson person)
    {
        var own = JsonNode.Parse((await person.Store.ReadAsync("keys/own", Cancellation))!)!;
        using var cipher = ArchiveCipher.Of(Convert.FromBase64String((string)own["archiveKey"]!), person.Id);
        var texts = new List<string>();
        var previous = new byte[ArchiveCipher.DigestSize];
        var number = 0L;
        for (long? from = 0; from is { } start;)
        {
            var page = await person.Device.Client.ArchivePageAsync(cipher.Id, person.Device.Id, start, Cancellation);
            foreach (var chunk in page.Chunks)
            {
                Assert.True(cipher.TryOpen(person.Device.Id, number++, previous, chunk, out var json));
                Assert.True(ArchiveJson.TryDecode(json, out var content));
                texts.AddRange(
                    content.Items.Select(item => item.Content).OfType<ArchivedContent.Text>().Select(text => text.Value));
                previous = ArchiveCipher.DigestOf(chunk);
            }

            from = page.Next;
        }

        return texts;
    }
}
