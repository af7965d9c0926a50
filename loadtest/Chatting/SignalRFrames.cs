using System.Text.Json;

namespace ChatPay.LoadTest.Chatting;

/// <summary>The JSON hub protocol of SignalR, as far as a load needs it.</summary>
internal static class SignalRFrames
{
    public const byte End = 0x1e;

    public static ReadOnlySpan<byte> Handshake => "{\"protocol\":\"json\",\"version\":1}\u001e"u8;

    public static ReadOnlySpan<byte> Ping => "{\"type\":6}\u001e"u8;

    /// <summary>The type that a message begins with; 0 for the answer to the handshake.</summary>
    public static int TypeOf(ReadOnlySpan<byte> message) =>
        message.StartsWith("{\"type\":"u8) ? message[8] - '0' : 0;

    public static bool IsOk(ReadOnlySpan<byte> completion) => completion.IndexOf("\"ok\":"u8) >= 0;

    /// <summary>The whole number after <paramref name="name"/>, which is searched from <paramref name="from"/>.</summary>
    public static long NumberAfter(ReadOnlySpan<byte> name, ReadOnlySpan<byte> message, ref int from)
    {
        from += IndexAfter(name, message[from..]);
        return System.Buffers.Text.Utf8Parser.TryParse(message[from..], out long value, out var used)
            ? Skip(used, ref from, value) : throw Unexpected(message);
    }

    /// <summary>The UUID's text after <paramref name="name"/>.</summary>
    public static ReadOnlySpan<byte> UuidAfter(ReadOnlySpan<byte> name, ReadOnlySpan<byte> message, ref int from)
    {
        const int UuidChars = 36;
        from += IndexAfter(name, message[from..]);
        from += UuidChars;
        return message[(from - UuidChars)..from];
    }

    public static InvalidDataException Unexpected(ReadOnlySpan<byte> message) => new(
        $"The server said something unexpected, {message.Length} bytes: "
        + JsonEncodedText.Encode(message[..Math.Min(500, message.Length)]));

    /// <summary>Where what follows the first <paramref name="name"/> begins.</summary>
    public static int IndexAfter(ReadOnlySpan<byte> name, ReadOnlySpan<byte> message)
    {
        var at = message.IndexOf(name);
        return at >= 0 ? at + name.Length : throw Unexpected(message);
    }

    private static long Skip(int used, ref int from, long value)
    {
        from += used;
        return value;
    }
}
