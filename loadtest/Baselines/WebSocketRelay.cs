using System.Buffers.Binary;
using System.Collections.Concurrent;
using System.Net.WebSockets;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;

namespace ChatPay.LoadTest.Baselines;

/// <summary>
/// The least that a chat server over WebSockets can do with Kestrel: take a frame, number it, pass it on to the others in
/// the room, answer the sender. Nothing is kept, checked or waited for.
/// </summary>
internal static class WebSocketRelay
{
    private const int ReceiveBytes = 4096;

    public static void Map(WebApplication app)
    {
        var rooms = new ConcurrentDictionary<int, ConcurrentDictionary<Member, bool>>();
        app.UseWebSockets();
        app.Map("/relay", async (HttpContext context, int room) =>
        {
            using var socket = await context.WebSockets.AcceptWebSocketAsync();
            using var member = new Member(socket);
            var members = rooms.GetOrAdd(room, _ => new());
            members.TryAdd(member, true);
            try
            {
                await ServeAsync(member, members, context.RequestAborted);
            }
            catch (WebSocketException)
            {
                // Gone without a goodbye, as clients go.
            }
            finally
            {
                members.TryRemove(member, out _);
            }
        });
    }

    private static async Task ServeAsync(
        Member sender, ConcurrentDictionary<Member, bool> members, CancellationToken cancellationToken)
    {
        var received = new byte[ReceiveBytes];
        var delivery = new byte[ReceiveBytes + RelayFrames.HeaderBytes];
        var answer = new byte[RelayFrames.HeaderBytes];
        for (var seq = 1L; ; seq++)
        {
            var got = await sender.Socket.ReceiveAsync(received.AsMemory(), cancellationToken);
            if (got.MessageType == WebSocketMessageType.Close)
            {
                return;
            }

            delivery[0] = RelayFrames.Delivery;
            BinaryPrimitives.WriteInt64BigEndian(delivery.AsSpan(1), seq);
            received.AsSpan(0, got.Count).CopyTo(delivery.AsSpan(RelayFrames.IdAt));
            delivery.AsSpan(0, answer.Length).CopyTo(answer);
            answer[0] = RelayFrames.Answer;
            foreach (var (member, _) in members)
            {
                if (!ReferenceEquals(member, sender))
                {
                    await member.SendAsync(delivery.AsMemory(0, RelayFrames.IdAt + got.Count), cancellationToken);
                }
            }

            await sender.SendAsync(answer, cancellationToken);
        }
    }

    /// <summary>A socket takes one message at a time.</summary>
    private sealed class Member(WebSocket socket) : IDisposable
    {
        private readonly SemaphoreSlim _sending = new(1);

        public WebSocket Socket => socket;

        public async ValueTask SendAsync(ReadOnlyMemory<byte> message, CancellationToken cancellationToken)
        {
            await _sending.WaitAsync(cancellationToken);
            try
            {
                await socket.SendAsync(message, WebSocketMessageType.Binary, endOfMessage: true, cancellationToken);
            }
            finally
            {
                _sending.Release();
            }
        }

        public void Dispose() => _sending.Dispose();
    }
}
