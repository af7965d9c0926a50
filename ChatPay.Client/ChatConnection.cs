using ChatPay.Client.Internal;
using ChatPay.Core.Protocol;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.SignalR;
using Microsoft.AspNetCore.SignalR.Client;
using Microsoft.AspNetCore.SignalR.Protocol;
using Microsoft.Extensions.DependencyInjection;

namespace ChatPay.Client;

/// <summary>
/// One hub connection: the methods of <see cref="IChatHub"/> with errors as <see cref="ChatPayException"/>, and what
/// the server pushes through <see cref="ChatHandlers"/>. A call whose connection is lost is
/// <see cref="ClientErrors.Offline"/>, and nobody knows whether it arrived: <see cref="ChatSession"/> makes it again.
/// </summary>
public sealed class ChatConnection : IAsyncDisposable
{
    private readonly HubConnection _hub;

    private ChatConnection(HubConnection hub, ChatHandlers handlers)
    {
        _hub = hub;
        On(nameof(IChatClient.Events), handlers.Events);
        On(nameof(IChatClient.Heads), handlers.Heads);
        On(nameof(IChatClient.DeviceMessages), handlers.DeviceMessages);
        On(nameof(IChatClient.Receipts), handlers.Receipts);
        On(nameof(IChatClient.Ephemeral), handlers.Ephemeral);
        On(nameof(IChatClient.Presence), handlers.Presence);
        On(nameof(IChatClient.WalletChanged), handlers.WalletChanged);
        On(nameof(IChatClient.Control), handlers.Control);
        On(nameof(IChatClient.Keys), handlers.Keys);
        hub.Closed += exception =>
        {
            handlers.Closed?.Invoke(exception);
            return Task.CompletedTask;
        };
    }

    /// <summary>Whether calls can be made.</summary>
    public bool IsOpen => _hub.State == HubConnectionState.Connected;

    /// <summary>The connection as SignalR has it, for calls that this class does not know.</summary>
    public HubConnection Hub => _hub;

    /// <summary>First call: compares cursors and says what changed.</summary>
    /// <exception cref="ChatPayException">
    /// <c>wrong_device</c>, <c>upgrade_required</c>; <c>overloaded</c> with <c>retryAfterMs</c>: say it again then.
    /// </exception>
    /// <example>
    /// <code>
    /// var request = new HelloRequest(deviceId, Limits.ProtocolVersion, [], lineage, cursors);
    /// var hello = await hub.HelloAsync(request, cancellationToken);
    /// </code>
    /// </example>
    public Task<HelloReply> HelloAsync(HelloRequest request, CancellationToken cancellationToken) =>
        CallAsync<HelloReply>(nameof(IChatHub.Hello), request, cancellationToken);

    /// <summary>The next events of several conversations.</summary>
    /// <exception cref="ChatPayException"><c>not_member</c>; <c>conversation_unknown</c>; among others.</exception>
    /// <example>
    /// <code>var pages = (await hub.SyncAsync(new([new Cursor(id, lastSeq)]), cancellationToken)).Pages;</code>
    /// </example>
    public Task<SyncReply> SyncAsync(SyncRequest request, CancellationToken cancellationToken) =>
        CallAsync<SyncReply>(nameof(IChatHub.Sync), request, cancellationToken);

    /// <summary>Appends an encrypted message; completes after the commit.</summary>
    /// <exception cref="ChatPayException"><c>stale_epoch</c> with the winning commit, among others.</exception>
    /// <example>
    /// <code>var sent = await hub.SendAsync(new(id, clientId, epoch, ciphertext), cancellationToken);</code>
    /// </example>
    public Task<SendReply> SendAsync(SendRequest request, CancellationToken cancellationToken) =>
        CallAsync<SendReply>(nameof(IChatHub.Send), request, cancellationToken);

    /// <summary>Submits an MLS commit for the conversation's current epoch.</summary>
    /// <exception cref="ChatPayException"><c>stale_epoch</c> with the winning commit, among others.</exception>
    /// <example>
    /// <code>
    /// var request = new CommitRequest(id, clientId, epoch, pending.Message, pending.Welcome, pending.GroupInfo);
    /// var won = await hub.SubmitCommitAsync(request, cancellationToken);
    /// </code>
    /// </example>
    public Task<CommitReply> SubmitCommitAsync(CommitRequest request, CancellationToken cancellationToken) =>
        CallAsync<CommitReply>(nameof(IChatHub.SubmitCommit), request, cancellationToken);

    /// <summary>The oldest messages waiting for this device.</summary>
    /// <exception cref="ChatPayException"><c>hello_first</c>, among others.</exception>
    /// <example>
    /// <code>var waiting = (await hub.PullDeviceAsync(cancellationToken)).Messages;</code>
    /// </example>
    public Task<DeviceMessagesPage> PullDeviceAsync(CancellationToken cancellationToken) =>
        CallAsync<DeviceMessagesPage>(nameof(IChatHub.PullDevice), null, cancellationToken);

    /// <summary>Sends something to single devices; completes once it is stored.</summary>
    /// <exception cref="ChatPayException">
    /// <c>device_unreachable</c> and <c>device_queue_full</c> name the devices; without them the client id may be used
    /// again.
    /// </exception>
    /// <example>
    /// <code>await hub.SendToDevicesAsync(new([new DeviceEnvelope(device, body)], clientId), cancellationToken);</code>
    /// </example>
    public Task SendToDevicesAsync(SendToDevicesRequest request, CancellationToken cancellationToken) =>
        CallAsync<Unit>(nameof(IChatHub.SendToDevices), request, cancellationToken);

    /// <summary>Removes received device messages from the queue.</summary>
    /// <exception cref="ChatPayException"><c>hello_first</c>, among others.</exception>
    /// <example>
    /// <code>await hub.AckDeviceAsync(new([.. waiting.Select(message => message.Id)]), cancellationToken);</code>
    /// </example>
    public Task AckDeviceAsync(AckDeviceRequest request, CancellationToken cancellationToken) =>
        CallAsync<Unit>(nameof(IChatHub.AckDevice), request, cancellationToken);

    /// <summary>Raises delivered and read marks.</summary>
    /// <exception cref="ChatPayException"><c>hello_first</c>, among others.</exception>
    /// <example>
    /// <code>await hub.MarkAsync(new([new ReceiptMark(id, Delivered: seq, Read: seq)]), cancellationToken);</code>
    /// </example>
    public Task MarkAsync(MarkRequest request, CancellationToken cancellationToken) =>
        CallAsync<Unit>(nameof(IChatHub.Mark), request, cancellationToken);

    /// <summary>Says that the person is typing, or has stopped.</summary>
    /// <exception cref="ChatPayException"><c>not_member</c>; <c>conversation_unknown</c>; among others.</exception>
    /// <example>
    /// <code>await hub.TypingAsync(new(id, Active: true), cancellationToken);</code>
    /// </example>
    public Task TypingAsync(TypingRequest request, CancellationToken cancellationToken) =>
        CallAsync<Unit>(nameof(IChatHub.Typing), request, cancellationToken);

    /// <summary>Replaces whom this connection watches, and says who of them is there.</summary>
    /// <param name="request">At most 500 accounts.</param>
    /// <exception cref="ChatPayException"><c>invalid_argument</c>: too many; among others.</exception>
    /// <example>
    /// <code>var there = (await hub.WatchPresenceAsync(new([ada.Id]), cancellationToken)).Accounts;</code>
    /// </example>
    public Task<PresenceReply> WatchPresenceAsync(WatchPresenceRequest request, CancellationToken cancellationToken) =>
        CallAsync<PresenceReply>(nameof(IChatHub.WatchPresence), request, cancellationToken);

    /// <summary>Posts a card or acts on one; completes after the commit.</summary>
    /// <exception cref="ChatPayException">
    /// <c>card_version_stale</c>; <c>card_terminal</c>; <c>insufficient_funds</c>; among others.
    /// </exception>
    /// <example>
    /// <code>
    /// var request = new CardActRequest(card.Id, card.Version, CardActionKind.Accept, idempotencyKey);
    /// var accepted = await hub.CardActAsync(request, cancellationToken);
    /// </code>
    /// </example>
    public Task<CardActReply> CardActAsync(CardActRequest request, CancellationToken cancellationToken) =>
        CallAsync<CardActReply>(nameof(IChatHub.CardAct), request, cancellationToken);

    /// <inheritdoc/>
    public ValueTask DisposeAsync() => _hub.DisposeAsync();

    internal static async Task<ChatConnection> OpenAsync(
        Uri address, string token, ChatHandlers handlers, CancellationToken cancellationToken,
        TimeSpan? serverTimeout = null)
    {
        var endpoint = new UriBuilder(new Uri(address, "hub"))
        {
            Scheme = address.Scheme == Uri.UriSchemeHttps ? "wss" : "ws",
        };
        var builder = new HubConnectionBuilder();
        builder.Services.AddSingleton<IConnectionFactory, WebSocketConnectionFactory>();
        builder.Services.AddSingleton<System.Net.EndPoint>(new HubEndPoint(endpoint.Uri, token));
        builder.Services.AddSingleton<IHubProtocol, JsonHubProtocol>();
        builder.Services.Configure<JsonHubProtocolOptions>(
            json => WireFormat.Configure(json.PayloadSerializerOptions));
        var connection = new ChatConnection(builder.Build(), handlers);
        if (serverTimeout is { } timeout)
        {
            connection._hub.ServerTimeout = timeout;
        }

        try
        {
            await connection._hub.StartAsync(cancellationToken);
            return connection;
        }
        catch (Exception failed)
        {
            await connection.DisposeAsync();
            if (IsLoss(failed, cancellationToken))
            {
                throw LocalErrors.Offline(failed);
            }

            throw;
        }
    }

    private async Task<T> CallAsync<T>(string method, object? request, CancellationToken cancellationToken)
    {
        object?[] arguments = request is null ? [] : [request];
        try
        {
            var reply = await _hub.InvokeCoreAsync<HubReply<T>>(method, arguments, cancellationToken);
            return reply switch
            {
                { Error: { } error } => throw new ChatPayException(error),
                { Ok: { } answer } => answer,
                _ => throw new InvalidDataException("The server answered with neither an answer nor an error."),
            };
        }
        catch (Exception lost) when (IsLoss(lost, cancellationToken))
        {
            throw LocalErrors.Offline(lost);
        }
    }

    /// <summary>Whether the connection failed: SignalR has many names for that.</summary>
    private static bool IsLoss(Exception exception, CancellationToken cancellationToken) =>
        exception is not ChatPayException
        && (exception is not OperationCanceledException || !cancellationToken.IsCancellationRequested);

    private void On<T>(string callback, Action<T>? handler) => _hub.On<T>(callback, value => handler?.Invoke(value));
}
