using ChatPay.Core.Protocol;
using ChatPay.Server.Conversations;
using ChatPay.Server.Presence;
using Microsoft.AspNetCore.Authorization;
using Microsoft.AspNetCore.SignalR;

namespace ChatPay.Server.Realtime;

/// <summary>The hub: authorise, bound, call, map. What every method needs is in <see cref="HubCalls"/>.</summary>
[Authorize]
internal sealed class ChatHub(
    HelloAdmission admission, HelloService hellos, ConversationService conversations, SignalService signals,
    PairwiseService pairwise, CardCalls cards, PresenceService presence) : Hub<IChatClient>
{
    private ClientConnection Connection => ClientConnection.Of(Context);

    private CancellationToken Aborted => Context.ConnectionAborted;

    public async Task<HubReply<HelloReply>> Hello(HelloRequest request) =>
        Reply(await admission.AdmitAsync(stop => hellos.HelloAsync(Connection, request, stop), Aborted));

    public async Task<HubReply<SyncReply>> Sync(SyncRequest request) =>
        Reply(await conversations.SyncAsync(Connection.Caller, request, Aborted));

    /// <remarks>It is decided whether or not its caller is still there, so it does not pay to watch for that.</remarks>
    public async Task<HubReply<SendReply>> Send(SendRequest request) =>
        Reply(await conversations.SendAsync(Connection.Caller, request, CancellationToken.None));

    public async Task<HubReply<CommitReply>> SubmitCommit(CommitRequest request) =>
        Reply(SizeOf(request) > Limits.HubHandshakeBytes
            ? HubErrors.TooLarge
            : await conversations.CommitAsync(Connection.Caller, request, Aborted));

    public async Task<HubReply<Unit>> SendToDevices(SendToDevicesRequest request) =>
        Reply(await pairwise.SendAsync(Connection.Caller, request, Aborted));

    public async Task<HubReply<DeviceMessagesPage>> PullDevice() =>
        Reply<DeviceMessagesPage>(await conversations.PullDeviceAsync(Connection.Caller, Aborted));

    public async Task<HubReply<Unit>> AckDevice(AckDeviceRequest request) =>
        Reply(await conversations.AckDeviceAsync(Connection.Caller, request, Aborted));

    public async Task<HubReply<Unit>> Mark(MarkRequest request) =>
        Reply(await signals.MarkAsync(Connection, request, Aborted));

    public async Task<HubReply<Unit>> Typing(TypingRequest request) =>
        Reply(await signals.TypeAsync(Connection, request, Aborted));

    public async Task<HubReply<PresenceReply>> WatchPresence(WatchPresenceRequest request) =>
        Reply(await presence.WatchAsync(Connection, request, Aborted));

    public async Task<HubReply<CardActReply>> CardAct(CardActRequest request) =>
        Reply(await cards.ActAsync(Connection.Caller, request, Aborted));

    private static long SizeOf(CommitRequest request) =>
        (long)request.Commit.Length + (request.Welcome?.Length ?? 0) + request.GroupInfo.Length;

    /// <summary>An outcome as every method returns it.</summary>
    internal static HubReply<T> Reply<T>(Result<T> result) =>
        result.IsOk ? new(result.Value) : new(default, ErrorBody.From(result.Error!));
}
