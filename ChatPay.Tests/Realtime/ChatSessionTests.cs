using ChatPay.Client;
using ChatPay.Core.Protocol;
using ChatPay.Server.Realtime;
using ChatPay.Tests.Support;
using Microsoft.Extensions.DependencyInjection;
using Xunit;

namespace ChatPay.Tests.Realtime;

/// <summary>The SDK's standing connection over a server that keeps cutting it off.</summary>
public sealed class ChatSessionTests(ServerFixture server) : IClassFixture<ServerFixture>
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    private ConnectionRegistry Registry => server.Server.Services.GetRequiredService<ConnectionRegistry>();

    [Fact]
    public async Task Over_lost_connections_every_event_comes_once_and_every_send_counts_once()
    {
        const int Messages = 150;
        await using var ada = await Person.JoinAsync(server.Address);
        await using var ben = await Person.JoinAsync(server.Address);
        var group = await TestGroup.DirectAsync(ada, ben);
        await using var sender = SessionWatcher.Start(ada);
        await using var receiver = SessionWatcher.Start(ben);
        using var cutting = CancellationTokenSource.CreateLinkedTokenSource(Cancellation);
        var cuts = CutAsync(cutting.Token);

        var sent = await Task.WhenAll(Enumerable.Range(0, Messages).Select(async i =>
        {
            // A few at a time, over all the cuts.
            await Task.Delay(TimeSpan.FromMilliseconds(i * 5), Cancellation);
            var message = group.Message(ada);
            return (message.ClientId, (await sender.Session.SendAsync(message, Cancellation)).Seq);
        }));
        await cutting.CancelAsync();

        Assert.True(await cuts > 5, "The connections were not cut.");
        var log = await receiver.LogUpToAsync(group.Id, Messages + 1);
        Assert.Equal(
            sent.OrderBy(one => one.Seq),
            log.Where(e => e.Kind == EventKind.Message).Select(e => (e.ClientId!.Value, e.Seq)));
        Assert.Equal(Messages + 1, Assert.Single(receiver.Session.Position.Cursors).Seq);
    }

    [Fact]
    public async Task A_position_that_was_kept_goes_on_where_it_stood()
    {
        await using var ada = await Person.JoinAsync(server.Address);
        await using var ben = await Person.JoinAsync(server.Address);
        var group = await TestGroup.DirectAsync(ada, ben);
        await group.SendAsync(ada);
        ChatPosition position;
        await using (var first = SessionWatcher.Start(ben))
        {
            await first.CaughtUp.FirstAsync(_ => true);
            await first.LogUpToAsync(group.Id, 2);
            position = first.Session.Position;
        }

        await group.SendAsync(ada);
        await using var second = SessionWatcher.Start(ben, from: position);
        await second.LogUpToAsync(group.Id, 3, first: 3);

        await using var restored = SessionWatcher.Start(ben, from: position with { Lineage = group.Id.Value });
        await restored.Lineages.FirstAsync(lineage => lineage == position.Lineage);
        await restored.LogUpToAsync(group.Id, 3);
    }

    [Fact]
    public async Task A_handler_may_wait_for_calls_while_the_connection_is_lost()
    {
        await using var ada = await Person.JoinAsync(server.Address);
        await using var ben = await Person.JoinAsync(server.Address);
        var group = await TestGroup.DirectAsync(ada, ben);
        ChatSession? session = null;
        await using var watcher = SessionWatcher.Start(ben, before: async (events, cancellationToken) =>
        {
            foreach (var message in events.Where(e => e.Account == ada.Id && e.Kind == EventKind.Message))
            {
                Registry.OfDevice(ben.Device).ToList().ForEach(connection => connection.Abort());
                await session!.SendAsync(group.Message(ben), cancellationToken);
            }
        });
        session = watcher.Session;
        await session.OnlineAsync(Cancellation);

        await group.SendAsync(ada);

        var log = await watcher.LogUpToAsync(group.Id, 3);
        Assert.Equal(ben.Id, log[2].Account);
    }

    [Fact]
    public async Task A_revoked_device_is_told_so_and_stays_away()
    {
        await using var ada = await Person.JoinAsync(server.Address);
        var phone = await ada.OnAnotherDeviceAsync();
        await using var watcher = SessionWatcher.Start(phone);
        await watcher.Session.OnlineAsync(Cancellation);

        await ada.Client.RevokeDeviceAsync(phone.Device, Cancellation);

        Assert.Equal(ChatSessionEnd.Revoked, await watcher.Session.Completion.WaitAsync(TimeSpan.FromSeconds(20), Cancellation));
        var late = await Assert.ThrowsAsync<ChatPayException>(() => watcher.Session.OnlineAsync(Cancellation));
        Assert.Equal(ClientErrors.SessionEnded, late.Name);

        // One that was not there when it happened learns it at the door.
        await using var second = SessionWatcher.Start(phone);
        Assert.Equal(ChatSessionEnd.Revoked, await second.Session.Completion.WaitAsync(TimeSpan.FromSeconds(20), Cancellation));
        Assert.Equal(1, second.Session.Counts.Attempts);
        await phone.DisposeAsync();
    }

    [Fact]
    public async Task A_handler_that_throws_or_waits_ends_with_its_session()
    {
        await using var ada = await Person.JoinAsync(server.Address);
        await using var ben = await Person.JoinAsync(server.Address);
        var group = await TestGroup.DirectAsync(ada, ben);
        await using var throwing = SessionWatcher.Start(ben, before: (_, _) => throw new NotSupportedException("so"));
        var thrown = await Assert.ThrowsAsync<NotSupportedException>(
            () => throwing.Session.Completion.WaitAsync(TimeSpan.FromSeconds(20), Cancellation));
        Assert.Equal("so", thrown.Message);
        var over = await Assert.ThrowsAsync<ChatPayException>(() => throwing.Session.OnlineAsync(Cancellation));
        Assert.Equal(ClientErrors.SessionEnded, over.Name);

        // The handler waits for a call that nobody will answer, and does not listen to the session's end.
        ChatSession? session = null;
        var entered = new TaskCompletionSource();
        var waiting = SessionWatcher.Start(ben, before: async (_, _) =>
        {
            entered.TrySetResult();
            await session!.CallAsync<int>((_, token) => Task.Delay(Timeout.Infinite, token).ContinueWith(
                _ => 1, CancellationToken.None, TaskContinuationOptions.NotOnCanceled, TaskScheduler.Default), default);
        });
        session = waiting.Session;
        await group.SendAsync(ada);
        await entered.Task.WaitAsync(TimeSpan.FromSeconds(20), Cancellation);
        await waiting.DisposeAsync().AsTask().WaitAsync(TimeSpan.FromSeconds(20), Cancellation);
        Assert.Equal(ChatSessionEnd.Closed, await session.Completion);
    }

    [Fact]
    public async Task What_is_too_large_for_the_hub_is_refused_and_not_tried_for_ever()
    {
        await using var ada = await Person.JoinAsync(server.Address);
        await using var ben = await Person.JoinAsync(server.Address);
        var group = await TestGroup.DirectAsync(ada, ben);
        await using var watcher = SessionWatcher.Start(ada);

        var huge = group.Message(ada) with { Body = new byte[Limits.HubFrameBytes] };
        var refused = await Person.ErrorOf(watcher.Session.SendAsync(huge, Cancellation));

        Assert.Equal((int)ErrorCode.BodyTooLarge, refused.Code);
        await watcher.Session.OnlineAsync(Cancellation);
        Assert.Equal(1, watcher.Session.Counts.Connections);
    }

    [Fact]
    public async Task A_server_may_end_it_for_another_version()
    {
        await using var ada = await Person.JoinAsync(server.Address);
        await using var watcher = SessionWatcher.Start(ada);
        await watcher.Session.OnlineAsync(Cancellation);

        foreach (var connection in Registry.OfDevice(ada.Device))
        {
            connection.Enqueue(Push.Of(new ControlSignal(ControlKind.Upgrade)));
        }

        Assert.Equal(
            ChatSessionEnd.UpgradeRequired, await watcher.Session.Completion.WaitAsync(TimeSpan.FromSeconds(20), Cancellation));
    }

    [Fact]
    public async Task It_waits_as_long_as_the_server_asks_and_up_to_as_long_again()
    {
        await using var ada = await Person.JoinAsync(server.Address);
        await using var watcher = SessionWatcher.Start(ada, SessionWatcher.Quick with { Random = () => 0.5 });
        await watcher.Session.OnlineAsync(Cancellation);

        foreach (var connection in Registry.OfDevice(ada.Device))
        {
            connection.Enqueue(Push.Of(new ControlSignal(ControlKind.Reconnect, ReconnectAfterMs: 80)));
        }

        await watcher.States.UntilAsync(all => all.Count(one => one.State == ChatSessionState.Online) == 2);
        var waited = Assert.Single(watcher.States.Items, one => one.State == ChatSessionState.Waiting);
        Assert.Equal(TimeSpan.FromMilliseconds(120), waited.RetryIn);
    }

    [Fact]
    public async Task Nobody_there_costs_growing_capped_jittered_waits_and_a_bounded_queue()
    {
        await using var ada = await Person.SignUpAsync(server.Address);
        await using var watcher = SessionWatcher.Start(ada, new()
        {
            Addresses = [new("http://127.0.0.1:1"), new("http://127.0.0.1:2")],
            BaseDelay = TimeSpan.FromMilliseconds(2),
            MaxDelay = TimeSpan.FromMilliseconds(20),
            Random = () => 0.5,
            MaxCalls = 1,
        });
        using var given = new CancellationTokenSource();
        var waiting = watcher.Session.MarkAsync(new([]), given.Token);
        var refused = await Person.ErrorOf(watcher.Session.MarkAsync(new([]), Cancellation));

        var states = await watcher.States.UntilAsync(all => all.Count(one => one.RetryIn is not null) >= 6);

        Assert.Equal((int)ErrorCode.Overloaded, refused.Code);
        Assert.Equal([1, 2, 4, 8, 10, 10], states.Select(one => one.RetryIn?.TotalMilliseconds).OfType<double>().Take(6));
        Assert.False(waiting.IsCompleted);
        await given.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => waiting);
    }

    [Fact]
    public async Task What_waits_for_the_device_is_handed_over_and_acknowledged()
    {
        await using var ada = await Person.JoinAsync(server.Address);
        await using var ben = await Person.SignUpAsync(server.Address);
        var group = await TestGroup.DirectAsync(ada, ben);
        await using (var watcher = SessionWatcher.Start(ben))
        {
            var welcome = await watcher.DeviceMessages.FirstAsync(message => message.Kind == DeviceMessageKind.Welcome);
            Assert.Equal(group.Id, welcome.Conversation);
            await watcher.CaughtUp.FirstAsync(_ => true);
        }

        Assert.Equal(0, (await ben.ConnectAsync()).DeviceMessagesWaiting);
    }

    [Fact]
    public async Task Who_is_put_out_while_away_reads_to_the_end_and_is_told()
    {
        await using var ada = await Person.JoinAsync(server.Address);
        await using var ben = await Person.JoinAsync(server.Address);
        await using var cai = await Person.JoinAsync(server.Address);
        var group = await TestGroup.GroupAsync(ada, ben, cai);
        ChatPosition position;
        await using (var before = SessionWatcher.Start(ben))
        {
            await before.LogUpToAsync(group.Id, 1);
            await before.CaughtUp.FirstAsync(_ => true);
            position = before.Session.Position;
        }

        await group.SendAsync(ada);
        await group.CommitAsync(ada, removes: [group.LeafOf(ben)]);
        await group.SendAsync(ada);

        await using var after = SessionWatcher.Start(ben, from: position);
        await after.Gone.FirstAsync(gone => gone == group.Id);
        Assert.Equal([2, 3], after.Events.Items.Select(e => e.Seq));
        Assert.Empty(after.Session.Position.Cursors);
    }

    private async Task<int> CutAsync(CancellationToken cancellationToken)
    {
        using var timer = new PeriodicTimer(TimeSpan.FromMilliseconds(40));
        var cuts = 0;
        try
        {
            while (await timer.WaitForNextTickAsync(cancellationToken))
            {
                foreach (var connection in Registry.All)
                {
                    connection.Abort();
                    cuts++;
                }
            }
        }
        catch (OperationCanceledException)
        {
        }

        return cuts;
    }
}
