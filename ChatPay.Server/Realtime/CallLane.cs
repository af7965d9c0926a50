using System.Buffers;
using System.Diagnostics;
using System.Diagnostics.CodeAnalysis;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using ChatPay.Core.Protocol;
using ChatPay.Server.Conversations;
using ChatPay.Server.Hosting;
using Microsoft.Extensions.Options;

namespace ChatPay.Server.Realtime;

/// <summary>
/// Messages and card actions past SignalR's dispatcher, which would make a scope, a hub, a list of arguments and half a dozen
/// tasks for each. Only what is plainly a call of <see cref="IChatHub.Send"/> or <see cref="IChatHub.CardAct"/> goes this way,
/// by the same <see cref="HubCalls"/> and the same services; everything else, whatever is wrong with it, is SignalR's to answer.
/// </summary>
internal sealed class CallLane(
    HubCalls calls, ConversationService conversations, CardCalls cards, IOptions<RealtimeOptions> options)
{
    private const byte RecordSeparator = 0x1e;
    private const int InvocationType = 1;

    private static readonly JsonTypeInfo<SendRequest> s_message = TypeOf<SendRequest>();
    private static readonly JsonTypeInfo<CardActRequest> s_action = TypeOf<CardActRequest>();

    [ThreadStatic]
    private static (ArrayBufferWriter<byte> Bytes, Utf8JsonWriter Json)? t_encoder;

    /// <summary>Who traces calls sees those that SignalR dispatches.</summary>
    private static readonly ActivitySource s_traced = new(Telemetry.HubSource);

    /// <summary>Whether calls may come this way.</summary>
    public bool IsOpen => options.Value.CallLane && !s_traced.HasListeners();

    /// <summary>Takes one call from the beginning of what a client has sent.</summary>
    /// <param name="bytes">How many bytes it took, with the separator.</param>
    /// <returns>False, with nothing taken, where it is anything else.</returns>
    public static bool TryTake(ReadOnlySpan<byte> sent, [NotNullWhen(true)] out LaneCall? call, out int bytes)
    {
        (call, bytes) = (null, sent.IndexOf(RecordSeparator) + 1);
        if (bytes is 0 or > Limits.HubFrameBytes)
        {
            return false;
        }

        // Arguments may stand before the name of what they are for.
        var frame = sent[..(bytes - 1)];
        var (isMessage, isAction) = (frame.IndexOf("\"Send\""u8) >= 0, frame.IndexOf("\"CardAct\""u8) >= 0);
        if (isMessage == isAction)
        {
            return false;
        }

        try
        {
            call = isMessage
                ? Read(frame, "Send"u8, s_message) is var (id, message) ? new LaneCall.Message(id, message) : null
                : Read(frame, "CardAct"u8, s_action) is var (actionId, action) ? new LaneCall.Action(actionId, action) : null;
        }
        catch (Exception unreadable) when (unreadable is JsonException or InvalidOperationException)
        {
            // Text that is no text is an invalid operation. SignalR meets it again, and says what is wrong.
        }

        return call is not null;
    }

    /// <returns>An <see cref="IHubReply"/>.</returns>
    public ValueTask<object?> AnswerAsync(ClientConnection connection, LaneCall call) =>

        // Whatever is decided is so whether or not its caller is still there, so it does not pay to watch for that.
        call switch
        {
            LaneCall.Message message => calls.AnswerAsync(
                connection, nameof(IChatHub.Send), (Lane: this, Connection: connection, message.Request),
                static async state => ChatHub.Reply(await state.Lane.SendAsync(state.Connection, state.Request))),
            LaneCall.Action action => calls.AnswerAsync(
                connection, nameof(IChatHub.CardAct), (Lane: this, Connection: connection, action.Request),
                static async state => ChatHub.Reply(await state.Lane.ActAsync(state.Connection, state.Request))),
            _ => throw new ArgumentOutOfRangeException(nameof(call)),
        };

    /// <summary>The completion of a call, ready to be sent.</summary>
    /// <returns>Bytes that last until this thread encodes the next one.</returns>
    public static ReadOnlySpan<byte> Encode(LaneCall call, object? reply)
    {
        var (bytes, json) = t_encoder ??= MakeEncoder();
        bytes.ResetWrittenCount();
        bytes.Write("{\"type\":3,\"invocationId\":\""u8);
        bytes.Write(call.Id);
        bytes.Write("\",\"result\":"u8);
        json.Reset(bytes);
        JsonSerializer.Serialize(json, reply, reply!.GetType(), Push.Json);
        json.Flush();
        bytes.Write("}\u001e"u8);
        return bytes.WrittenSpan;
    }

    private static (ArrayBufferWriter<byte> Bytes, Utf8JsonWriter Json) MakeEncoder()
    {
        var bytes = new ArrayBufferWriter<byte>();
        return (bytes, new Utf8JsonWriter(bytes, new JsonWriterOptions { Encoder = Push.Json.Encoder, SkipValidation = true }));
    }

    private Task<Result<SendReply>> SendAsync(ClientConnection connection, SendRequest request) =>
        conversations.SendAsync(connection.Caller, request, CancellationToken.None);

    private Task<Result<CardActReply>> ActAsync(ClientConnection connection, CardActRequest request) =>
        cards.ActAsync(connection.Caller, request, CancellationToken.None);

    private static JsonTypeInfo<T> TypeOf<T>() => (JsonTypeInfo<T>)Push.Json.GetTypeInfo(typeof(T));

    private static (byte[] Id, T Request)? Read<T>(ReadOnlySpan<byte> frame, ReadOnlySpan<byte> method, JsonTypeInfo<T> type)
        where T : class
    {
        var reader = new Utf8JsonReader(frame);
        byte[]? id = null;
        T? request = null;
        var (isInvocation, isMethod) = (false, false);
        Expect(ref reader, JsonTokenType.StartObject);
        while (reader.Read() && reader.TokenType is JsonTokenType.PropertyName)
        {
            if (reader.ValueTextEquals("type"u8) && !isInvocation)
            {
                isInvocation = reader.Read() && reader.TokenType is JsonTokenType.Number
                    && reader.TryGetInt32(out var number) && number == InvocationType;
            }
            else if (reader.ValueTextEquals("target"u8) && !isMethod)
            {
                isMethod = reader.Read() && reader.TokenType is JsonTokenType.String && reader.ValueTextEquals(method);
            }
            else if (reader.ValueTextEquals("invocationId"u8) && id is null)
            {
                // As it was written, for it is only said again.
                id = reader.Read() && reader.TokenType is JsonTokenType.String ? reader.ValueSpan.ToArray() : null;
            }
            else if (reader.ValueTextEquals("arguments"u8) && request is null)
            {
                Expect(ref reader, JsonTokenType.StartArray);
                Expect(ref reader, JsonTokenType.StartObject);
                request = JsonSerializer.Deserialize(ref reader, type);
                Expect(ref reader, JsonTokenType.EndArray);
            }
            else
            {
                return null;
            }
        }

        return reader.TokenType is JsonTokenType.EndObject && !reader.Read() && isInvocation && isMethod
            && id is not null && request is not null ? (id, request) : null;
    }

    private static void Expect(ref Utf8JsonReader reader, JsonTokenType token)
    {
        if (!reader.Read() || reader.TokenType != token)
        {
            throw new JsonException();
        }
    }
}

/// <summary>A call that was taken.</summary>
/// <param name="Id">SignalR's id of the call, as it stood between its quotation marks.</param>
internal abstract record LaneCall(byte[] Id)
{
    /// <summary>Of <see cref="IChatHub.Send"/>.</summary>
    public sealed record Message(byte[] Id, SendRequest Request) : LaneCall(Id);

    /// <summary>Of <see cref="IChatHub.CardAct"/>.</summary>
    public sealed record Action(byte[] Id, CardActRequest Request) : LaneCall(Id);
}
