using System.Buffers.Binary;
using System.Globalization;
using System.Security.Cryptography;
using ChatPay.LoadTest.Baselines;

namespace ChatPay.LoadTest.Chatting;

/// <summary>A member on the bare WebSocket relay.</summary>
internal sealed class WebSocketRelayMember(
    ushort number, ExchangeGate gate, IReadOnlyList<ChatMember> members, Func<Uri> server, int room, int payloadBytes)
    : ChatMember(number, gate, members)
{
    private readonly byte[] _frame = RandomNumberGenerator.GetBytes(MessageKey.IdBytes + payloadBytes);

    public override async Task OpenAsync(CancellationToken cancellationToken)
    {
        var path = string.Create(CultureInfo.InvariantCulture, $"/relay?room={room}");
        Wire = await WireSocket.ConnectAsync(server(), path, null, Receive, cancellationToken);
        Wire.Start();
    }

    protected override void Write(ReadOnlySpan<byte> id, uint index)
    {
        id.CopyTo(_frame);
        Wire!.SendBinary(_frame);
    }

    private int Receive(ReadOnlySpan<byte> bytes)
    {
        var taken = 0;
        while (taken < bytes.Length)
        {
            var rest = bytes[taken..];
            var length = RelayFrames.HeaderBytes + (rest[0] == RelayFrames.Delivery ? payloadBytes : 0);
            if (rest.Length < length)
            {
                break;
            }

            var seq = BinaryPrimitives.ReadInt64BigEndian(rest[1..]);
            var key = MessageKey.Read(rest.Slice(RelayFrames.IdAt, MessageKey.IdBytes));
            if (rest[0] == RelayFrames.Delivery)
            {
                Received(seq, key);
            }
            else if (key.Sender == Number)
            {
                Answered();
            }
            else
            {
                Fail("the answer to somebody else's message");
            }

            taken += length;
        }

        return taken;
    }
}
