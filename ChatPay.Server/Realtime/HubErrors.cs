using System.Globalization;
using System.Text.Json;
using ChatPay.Core.Protocol;
using Microsoft.AspNetCore.SignalR;

namespace ChatPay.Server.Realtime;

/// <summary>
/// How a numbered error travels through SignalR, which knows only texts: as the message of a <see cref="HubException"/>,
/// whose text it keeps, until <see cref="ChatHubProtocol"/> finds the mark and writes the real thing.
/// </summary>
internal static class HubErrors
{
    private const string Mark = "chatpay-error:";

    public static Error Malformed { get; } =
        new(ErrorCode.MalformedRequest, "The message is not one that this server understands.");

    public static Error UnknownMethod { get; } = new(ErrorCode.UnknownMethod, "The server has no such method.");

    public static Error TooLarge { get; } = new(
        ErrorCode.TooLarge, "A hub message this large is refused; large commits go over HTTP.",
        new Dictionary<string, object>(StringComparer.Ordinal) { ["maxBytes"] = Limits.HubFrameBytes });

    public static Error Internal { get; } =
        new(ErrorCode.Internal, "Something went wrong on our side. Asking again with the same id tells what was done.");

    public static HubException Marked(Error error) =>
        new(Mark + ((int)error.Code).ToString(CultureInfo.InvariantCulture));

    /// <summary>The error behind SignalR's text; without a mark it is <paramref name="otherwise"/>.</summary>
    public static Error FromText(string text, Error otherwise)
    {
        var at = text.LastIndexOf(Mark, StringComparison.Ordinal);
        if (at < 0 || !int.TryParse(text.AsSpan(at + Mark.Length), CultureInfo.InvariantCulture, out var code))
        {
            return otherwise;
        }

        return (ErrorCode)code switch
        {
            ErrorCode.MalformedRequest => Malformed,
            ErrorCode.UnknownMethod => UnknownMethod,
            ErrorCode.TooLarge => TooLarge,
            _ => Internal,
        };
    }

    /// <summary>What a reply carries.</summary>
    public static HubReply<object> ReplyOf(Error error) => new(null, ErrorBody.From(error));

    /// <summary>What the error member of SignalR's close message carries: the same shape, as text.</summary>
    public static string TextOf(Error error) => JsonSerializer.Serialize(ErrorBody.From(error), Push.Json);
}
