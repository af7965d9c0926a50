using System.Buffers;
using System.Diagnostics.CodeAnalysis;
using System.Runtime.ExceptionServices;
using ChatPay.Core.Protocol;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.SignalR;
using Microsoft.AspNetCore.SignalR.Protocol;
using Microsoft.Extensions.Options;

namespace ChatPay.Server.Realtime;

/// <summary>
/// SignalR's JSON protocol with the catalogue's errors where SignalR would send sentences of its own: an unknown method
/// or arguments that do not fit get a reply with a number, and a frame that nobody can read closes the connection
/// with one.
/// </summary>
internal sealed class ChatHubProtocol(IOptions<JsonHubProtocolOptions> options) : IHubProtocol
{
    private readonly JsonHubProtocol _json = new(options);

    public string Name => _json.Name;

    public int Version => _json.Version;

    public TransferFormat TransferFormat => _json.TransferFormat;

    public bool IsVersionSupported(int version) => _json.IsVersionSupported(version);

    public bool TryParseMessage(
        ref ReadOnlySequence<byte> input, IInvocationBinder binder, [NotNullWhen(true)] out HubMessage? message)
    {
        var before = input.Length;
        try
        {
            if (_json.TryParseMessage(ref input, binder, out message))
            {
                message = message is InvocationBindingFailureMessage failure ? Numbered(failure) : message;
                return true;
            }
        }
        catch (InvalidDataException)
        {
            throw HubErrors.Marked(HubErrors.Malformed);
        }

        // SignalR shows at most the largest frame it accepts: if that much holds no end, the frame is too large. A
        // frame that was consumed without a message is one of a type from the future.
        return before >= Limits.HubFrameBytes && input.Length == before
            ? throw HubErrors.Marked(HubErrors.TooLarge) : false;
    }

    public void WriteMessage(HubMessage message, IBufferWriter<byte> output) =>
        _json.WriteMessage(Numbered(message), output);

    public ReadOnlyMemory<byte> GetMessageBytes(HubMessage message) => _json.GetMessageBytes(Numbered(message));

    /// <summary>A target that the hub does not have fails to bind with a HubException, anything else differently.</summary>
    private static InvocationBindingFailureMessage Numbered(InvocationBindingFailureMessage failure)
    {
        var error = failure.BindingFailure.SourceException is HubException
            ? HubErrors.UnknownMethod : HubErrors.Malformed;
        return new(failure.InvocationId, "method", ExceptionDispatchInfo.Capture(HubErrors.Marked(error)));
    }

    private static HubMessage Numbered(HubMessage message) => message switch
    {
        CompletionMessage { Error: { } text, InvocationId: { } id } => new CompletionMessage(
            id, error: null, HubErrors.ReplyOf(HubErrors.FromText(text, HubErrors.Malformed)), hasResult: true),
        CloseMessage { Error: { } text } close => new CloseMessage(
            HubErrors.TextOf(HubErrors.FromText(text, HubErrors.Malformed)), close.AllowReconnect),
        _ => message,
    };
}
