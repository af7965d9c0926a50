using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http.Connections;
using Microsoft.AspNetCore.SignalR;

namespace ChatPay.LoadTest.Baselines;

/// <summary>A chat hub as SignalR's own introduction has it, with its JSON protocol: a group per room, nothing kept.</summary>
internal sealed class SignalRRelay : Hub
{
    private const string Room = "room";
    private const string Seq = "seq";

    public static void Map(WebApplication app) =>
        app.MapHub<SignalRRelay>("/hub", hub => hub.Transports = HttpTransportType.WebSockets);

    public override Task OnConnectedAsync()
    {
        Context.Items[Seq] = 0L;
        return Groups.AddToGroupAsync(
            Context.ConnectionId, GroupOf(Context.GetHttpContext()!.Request.Query[Room]!), Context.ConnectionAborted);
    }

    [SuppressMessage("Style", "VSTHRD200", Justification = "The name is what clients call.")]
    public async Task<Answer> Send(Message message)
    {
        var seq = (long)Context.Items[Seq]! + 1;
        Context.Items[Seq] = seq;
        await Clients.OthersInGroup(GroupOf(message.Room.ToString(CultureInfo.InvariantCulture))).SendAsync(
            "Deliver", new Delivery(seq, message.ClientId, message.Body), Context.ConnectionAborted);
        return new Answer(seq);
    }

    /// <summary>Takes a message, tells nobody and answers: what any call costs, whatever it is for.</summary>
    public Answer Call(Message message)
    {
        ArgumentNullException.ThrowIfNull(message);
        var seq = (long)Context.Items[Seq]! + 1;
        Context.Items[Seq] = seq;
        return new Answer(seq);
    }

    private static string GroupOf(string room) => "room " + room;

    internal sealed record Message(int Room, Guid ClientId, byte[] Body);

    internal sealed record Delivery(long Seq, Guid ClientId, byte[] Body);

    internal sealed record Answer(long Seq);
}
