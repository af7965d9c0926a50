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
/// Messages past SignalR's dispatcher, which would make a scope, a hub, a list of arguments and half a dozen tasks for each. Only
/// what is plainly a call of <see cref="IChatHub.Send"/> goes this way, by the same <see cref="HubCalls"/> and the same service;
/// everything else, whatever is wrong with it, is SignalR's to answer.
/// </summary>
internal sealed class SendLane(HubCalls calls, ConversationService conversations, IOptions<RealtimeOptions> options)
{
    private const byte RecordSeparator = 0x1e;
    private const int InvocationType = 1;

    private static readonly JsonTypeInfo<SendRequest> s_request =
        (JsonTypeInfo<SendRequest>)Push.Json.GetTypeInfo(typeof(SendRequest));

    /// <summary>Who traces calls sees those that SignalR dispatches.</summary>
    private static readonly ActivitySource s_traced = new(Telemetry.HubSource);

    /// <summary>Whether calls may come this way.</summary>
    public bool IsOpen => options.Value.SendLane && !s_traced.HasListeners();

    /// <summary>Takes one call of Send from the beginning of what a client has sent.</summary>
    /// <param name="bytes">How many bytes it took, with the separator.</param>
    /// <returns>False, with nothing taken, where it is anything else.</returns>
    public static bool TryTake(ReadOnlySpan<byte> sent, [NotNullWhen(true)] out SendCall? call, out int bytes)
    {
        (call, bytes) = (null, sent.IndexOf(RecordSeparator) + 1);
        if (bytes is 0 or > Limits.HubFrameBytes || sent[..bytes].IndexOf("\"Send\""u8) < 0)
        {
            return false;
        }

        try
        {
            call = Read(sent[..(bytes - 1)]);
        }
        catch (Exception unreadable) when (unreadable is JsonException or InvalidOperationException)
        {
            // Text that is no text is an invalid operation. SignalR meets it again, and says what is wrong.
        }

        return call is not null;
    }

    /// <returns>The completion, ready to be sent.</returns>
    public async ValueTask<byte[]> AnswerAsync(ClientConnection connection, SendCall call)
    {
        var reply = await calls.AnswerAsync(
            connection, nameof(IChatHub.Send), (Lane: this, Connection: connection, call.Request),
            static state => state.Lane.SendAsync(state.Connection, state.Request));
        var json = JsonSerializer.SerializeToUtf8Bytes(reply, reply!.GetType(), Push.Json);
        return [.. "{\"type\":3,\"invocationId\":\""u8, .. call.Id, .. "\",\"result\":"u8, .. json, .. "}\u001e"u8];
    }

    private async ValueTask<object?> SendAsync(ClientConnection connection, SendRequest request) =>
        ChatHub.Reply(await conversations.SendAsync(connection.Caller, request, CancellationToken.None));

    private static SendCall? Read(ReadOnlySpan<byte> frame)
    {
        var reader = new Utf8JsonReader(frame);
        byte[]? id = null;
        SendRequest? request = null;
        var (isInvocation, isSend) = (false, false);
        Expect(ref reader, JsonTokenType.StartObject);
        while (reader.Read() && reader.TokenType is JsonTokenType.PropertyName)
        {
            if (reader.ValueTextEquals("type"u8) && !isInvocation)
            {
                isInvocation = reader.Read() && reader.TokenType is JsonTokenType.Number
                    && reader.TryGetInt32(out var type) && type == InvocationType;
            }
            else if (reader.ValueTextEquals("target"u8) && !isSend)
            {
                isSend = reader.Read() && reader.TokenType is JsonTokenType.String && reader.ValueTextEquals("Send"u8);
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
                request = JsonSerializer.Deserialize(ref reader, s_request);
                Expect(ref reader, JsonTokenType.EndArray);
            }
            else
            {
                return null;
            }
        }

        return reader.TokenType is JsonTokenType.EndObject && !reader.Read() && isInvocation && isSend
            && id is not null && request is not null ? new(id, request) : null;
    }

    private static void Expect(ref Utf8JsonReader reader, JsonTokenType token)
    {
        if (!reader.Read() || reader.TokenType != token)
        {
            throw new JsonException();
        }
    }
}

/// <summary>A call of Send.</summary>
/// <param name="Id">SignalR's id of the call, as it stood between its quotation marks.</param>
internal sealed record SendCall(byte[] Id, SendRequest Request);
