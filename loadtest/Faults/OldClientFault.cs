using System.Text.Json;
using ChatPay.Core.Protocol;

namespace ChatPay.LoadTest.Faults;

/// <summary>
/// A client of the first release against today's server: what it says, and what it looks for in the answers, is written here as
/// it was on the wire then and not made from today's records. What it does not know must not disturb it.
/// </summary>
internal static class OldClientFault
{
    private const int TooOld = 0;

    /// <summary>What the first release reads of an answer; more may stand there, and less may not.</summary>
    private static readonly Dictionary<string, string[]> s_members = new(StringComparer.Ordinal)
    {
        ["Hello"] = ["lineage", "serverTime", "account", "changed", "gone", "deviceMessagesWaiting", "keyPackagesLeft"],
        ["conversation"] = ["id", "kind", "head", "epoch", "joinedSeq", "createdAt", "members", "pendingRemovals", "receipts"],
        ["member"] = ["account", "handle", "displayName", "role", "joinedSeq"],
        ["Send"] = ["seq", "at"],
        ["page"] = ["conversation", "events", "more"],
        ["event"] = ["conversation", "seq", "kind", "epoch", "at"],
        ["message"] = ["account", "device", "clientId", "body"],
        ["card"] =
        [
            "id", "kind", "conversation", "author", "payer", "payee", "amountMinor", "asset", "lifetimeSeconds", "detailCommit",
            "state", "version", "createdAt", "expiresAt",
        ],
    };

    public static async Task RunAsync(FaultRun run, CancellationToken cancellationToken)
    {
        var room = run.Bench.Crowd.Rooms[run.Bench.Below(run.Bench.Crowd.Rooms.Count)];
        try
        {
            await TalkAsync(run, room.Id, room.Members[0], cancellationToken);
            await BeToldAsync(run, room.Members[0], cancellationToken);
        }
        catch (Exception failure) when (failure is IOException or JsonException or KeyNotFoundException
            or InvalidOperationException or System.Net.WebSockets.WebSocketException)
        {
            run.Bench.Book.Violate(Rules.OldClients, failure.Message);
        }
    }

    private static async Task TalkAsync(
        FaultRun run, ConversationId conversation, Participant person, CancellationToken cancellationToken)
    {
        using var hub = await RawHub.ConnectAsync(run.Bench.Front[0], person.Client.Token!, null, cancellationToken);
        var hello = await CallAsync(
            run, hub, 1, "Hello",
            $$"""{"device":"{{person.Device}}","protocol":1,"capabilities":[],"cursors":[]}""", cancellationToken);
        foreach (var view in hello.GetProperty("changed").EnumerateArray())
        {
            Require(run, "conversation", view);
            Require(run, "member", view.GetProperty("members")[0]);
        }

        var message = SealedBodies.Message(conversation);
        var name = new MessageName(conversation, person.Device, message.ClientId);
        run.Bench.Book.Attempt(name);
        var sent = await CallAsync(
            run, hub, 2, "Send",
            $$"""
            {"conversation":"{{conversation}}","clientId":"{{message.ClientId}}","epoch":{{message.Epoch}},
            "body":"{{Convert.ToBase64String(message.Body)}}"}
            """,
            cancellationToken);
        var seq = sent.GetProperty("seq").GetInt64();
        run.Bench.Book.Acknowledge(name, seq);

        // By the log, because the push may have come before the answer.
        var sync = await CallAsync(
            run, hub, 3, "Sync",
            $$"""{"after":[{"conversation":"{{conversation}}","seq":{{seq - 1}}}]}""", cancellationToken);
        var page = sync.GetProperty("pages")[0];
        Require(run, "page", page);
        Require(run, "message", page.GetProperty("events")[0]);
        foreach (var e in page.GetProperty("events").EnumerateArray())
        {
            RequireEvent(run, e);
        }

        await CallAsync(
            run, hub, 4, "Mark",
            $$"""{"marks":[{"conversation":"{{conversation}}","delivered":{{seq}},"read":{{seq}}}]}""", cancellationToken);
        await CallAsync(
            run, hub, 5, "Typing", $$"""{"conversation":"{{conversation}}","active":true}""", cancellationToken);
        await HearAsync(run, hub, cancellationToken);
    }

    /// <summary>Events are pushed to it as they were then.</summary>
    private static async Task HearAsync(FaultRun run, RawHub hub, CancellationToken cancellationToken)
    {
        var push = await hub.UntilAsync(
            frame => frame.GetProperty("type").GetInt32() == 1 && frame.GetProperty("target").GetString() == "Events",
            cancellationToken);
        foreach (var e in push.GetProperty("arguments")[0].EnumerateArray())
        {
            RequireEvent(run, e);
        }
    }

    /// <summary>One that is too old is told so, by the number that it knows.</summary>
    private static async Task BeToldAsync(FaultRun run, Participant person, CancellationToken cancellationToken)
    {
        using var hub = await RawHub.ConnectAsync(run.Bench.Front[0], person.Client.Token!, null, cancellationToken);
        var reply = await ReplyAsync(
            hub, 1, "Hello",
            $$"""{"device":"{{person.Device}}","protocol":{{TooOld}},"capabilities":[],"cursors":[]}""", cancellationToken);
        if (!reply.TryGetProperty("error", out var error) || error.GetProperty("code").GetInt32() != 1011
            || error.GetProperty("name").GetString() != "upgrade_required")
        {
            run.Bench.Book.Violate(Rules.OldClients, $"a client that is too old was answered with {reply}");
        }
    }

    private static void RequireEvent(FaultRun run, JsonElement e)
    {
        Require(run, "event", e);
        if (e.TryGetProperty("card", out var card))
        {
            Require(run, "card", card);
            if (card.GetProperty("amountMinor").ValueKind != JsonValueKind.String)
            {
                run.Bench.Book.Violate(Rules.OldClients, "an amount is no string any more");
            }
        }
    }

    private static async Task<JsonElement> CallAsync(
        FaultRun run, RawHub hub, int number, string method, string argument, CancellationToken cancellationToken)
    {
        while (true)
        {
            var reply = await ReplyAsync(hub, number, method, argument, cancellationToken);
            if (reply.TryGetProperty("ok", out var answer))
            {
                if (s_members.ContainsKey(method))
                {
                    Require(run, method, answer);
                }

                return answer;
            }

            var error = reply.GetProperty("error");
            if (!error.GetProperty("retryable").GetBoolean())
            {
                throw new IOException($"{method} was refused: {error}");
            }

            await Task.Delay(TimeSpan.FromMilliseconds(200), cancellationToken);
        }
    }

    private static async Task<JsonElement> ReplyAsync(
        RawHub hub, int number, string method, string argument, CancellationToken cancellationToken)
    {
        await hub.SendAsync(
            $$"""{"type":1,"invocationId":"{{number}}","target":"{{method}}","arguments":[{{argument}}]}""",
            cancellationToken);
        var completion = await hub.UntilAsync(frame => frame.GetProperty("type").GetInt32() == 3, cancellationToken);
        return completion.TryGetProperty("result", out var result)
            ? result : throw new IOException($"{method} was answered with {completion}");
    }

    private static void Require(FaultRun run, string what, JsonElement answer)
    {
        var missing = s_members[what].Where(member => !answer.TryGetProperty(member, out _)).ToArray();
        if (missing.Length > 0)
        {
            run.Bench.Book.Violate(Rules.OldClients, $"{what} lacks {string.Join(", ", missing)}");
        }
    }
}
