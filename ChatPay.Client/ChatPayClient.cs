using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Text.Json;
using ChatPay.Client.Internal;
using ChatPay.Core.Protocol;

namespace ChatPay.Client;

/// <summary>
/// One device's way to a server: the REST interface as methods, errors as <see cref="ChatPayException"/>, and the hub
/// by <see cref="ConnectAsync"/>. Where there is no answer, the error is <see cref="ClientErrors.Offline"/>, and nobody
/// knows whether the request arrived. Safe for concurrent use once signed in.
/// </summary>
public sealed partial class ChatPayClient : IDisposable
{
    private readonly HttpClient _http;

    /// <param name="address">The server's root, such as <c>https://chat.example/</c>.</param>
    /// <param name="token">
    /// A bearer token from an earlier <see cref="SessionReply"/>, or null before signing in.
    /// </param>
    public ChatPayClient(Uri address, string? token = null)
    {
        ArgumentNullException.ThrowIfNull(address);
        Address = address;
        Token = token;
        _http = new HttpClient(new SocketsHttpHandler { UseCookies = false, AllowAutoRedirect = false })
        {
            BaseAddress = address,
            MaxResponseContentBufferSize = WireFormat.MaxAnswerBytes,
        };
    }

    /// <summary>The server's root.</summary>
    public Uri Address { get; }

    /// <summary>The session's bearer token; null before signing in.</summary>
    public string? Token { get; private set; }

    /// <summary>
    /// The signed-in account, once <see cref="SignUpAsync"/> or <see cref="SignInAsync"/> has succeeded.
    /// </summary>
    public AccountView? Account { get; private set; }

    /// <summary>
    /// The signed-in device, once <see cref="SignUpAsync"/> or <see cref="SignInAsync"/> has succeeded.
    /// </summary>
    public DeviceView? Device { get; private set; }

    /// <summary>The signed-in device's id, also where that is all that is known of it.</summary>
    internal DeviceId? DeviceId { get; private set; }

    /// <summary>Creates an account with its first device, and uses the session from here on.</summary>
    /// <exception cref="ChatPayException">Handle, name or password are refused, or the handle is taken.</exception>
    /// <example>
    /// <code>
    /// var device = new NewDevice("Echo bot", publicKey);
    /// var session = await client.SignUpAsync(new("echo_bot", "Echo", password, device), cancellationToken);
    /// </code>
    /// </example>
    public async Task<SessionReply> SignUpAsync(SignUpRequest request, CancellationToken cancellationToken) =>
        Use(await SendAsync<SessionReply>(HttpMethod.Post, "v1/accounts", request, cancellationToken));

    /// <summary>Signs in as a new device or an earlier one, and uses the session from here on.</summary>
    /// <exception cref="ChatPayException"><c>bad_credentials</c>, or too many attempts.</exception>
    /// <example>
    /// <code>
    /// var device = new NewDevice("Echo bot", publicKey);
    /// var session = await client.SignInAsync(new("echo_bot", password, device), cancellationToken);
    /// </code>
    /// </example>
    public async Task<SessionReply> SignInAsync(SignInRequest request, CancellationToken cancellationToken) =>
        Use(await SendAsync<SessionReply>(HttpMethod.Post, "v1/sessions", request, cancellationToken));

    /// <summary>Ends this session; the device stays.</summary>
    /// <exception cref="ChatPayException">
    /// <c>unauthenticated</c>: it had ended; the server cannot be reached.
    /// </exception>
    /// <example>
    /// <code>await client.SignOutAsync(cancellationToken);</code>
    /// </example>
    public async Task SignOutAsync(CancellationToken cancellationToken)
    {
        await SendAsync(HttpMethod.Delete, "v1/sessions/current", null, cancellationToken);
        Token = null;
    }

    /// <summary>Opens the hub connection; say <see cref="ChatConnection.HelloAsync"/> first.</summary>
    /// <exception cref="InvalidOperationException">Not signed in.</exception>
    /// <exception cref="ChatPayException">
    /// <c>unauthenticated</c>; <see cref="ClientErrors.Offline"/>, among others.
    /// </exception>
    /// <example>
    /// <code>
    /// await using var hub = await client.ConnectAsync(new() { Events = Take }, cancellationToken);
    /// await hub.HelloAsync(new(client.Device!.Id, Limits.ProtocolVersion, [], null, []), cancellationToken);
    /// </code>
    /// </example>
    public Task<ChatConnection> ConnectAsync(ChatHandlers handlers, CancellationToken cancellationToken) =>
        ChatConnection.OpenAsync(
            Address, Token ?? throw new InvalidOperationException("Sign in before connecting."), handlers,
            cancellationToken);

    /// <summary>Keeps a hub connection open and the device in sync until the session is disposed of.</summary>
    /// <param name="options">Null for the defaults.</param>
    /// <param name="from">Where an earlier session stood; null to read every log from its beginning.</param>
    /// <exception cref="InvalidOperationException">
    /// Not signed in by this object, which has to know its device.
    /// </exception>
    /// <example>
    /// <code>
    /// await using var session = client.StartSession(new() { Events = TakeAsync });
    /// await session.OnlineAsync(cancellationToken);
    /// </code>
    /// </example>
    public ChatSession StartSession(
        ChatSessionHandlers handlers, ChatSessionOptions? options = null, ChatPosition? from = null)
    {
        ArgumentNullException.ThrowIfNull(handlers);
        return Token is null || DeviceId is null
            ? throw new InvalidOperationException("Sign in before starting a session.")
            : new ChatSession(this, handlers, options ?? new(), from ?? ChatPosition.Start);
    }

    /// <inheritdoc/>
    public void Dispose() => _http.Dispose();

    /// <summary>Goes on with a session of an earlier run.</summary>
    internal void Resume(string? token, AccountView account, DeviceId device) =>
        (Token, Account, DeviceId) = (token, account, device);

    /// <summary>Nobody is signed in any more.</summary>
    internal void Forget() => (Token, Account, Device, DeviceId) = (null, null, null, null);

    private SessionReply Use(SessionReply reply)
    {
        (Token, Account, Device, DeviceId) = (reply.Token, reply.Account, reply.Device, reply.Device.Id);
        return reply;
    }

    private async Task<T> SendAsync<T>(
        HttpMethod method, string path, object? body, CancellationToken cancellationToken)
    {
        using var response = await RequestAsync(method, path, body, cancellationToken);
        try
        {
            return await response.Content.ReadFromJsonAsync<T>(WireFormat.Json, cancellationToken)
                ?? throw new InvalidDataException("The server answered with nothing.");
        }
        catch (Exception lost) when (IsLoss(lost, cancellationToken))
        {
            throw LocalErrors.Offline(lost);
        }
    }

    private async Task SendAsync(HttpMethod method, string path, object? body, CancellationToken cancellationToken)
    {
        using var response = await RequestAsync(method, path, body, cancellationToken);
    }

    private async Task<HttpResponseMessage> RequestAsync(
        HttpMethod method, string path, object? body, CancellationToken cancellationToken,
        HttpCompletionOption completion = HttpCompletionOption.ResponseContentRead)
    {
        using var request = new HttpRequestMessage(method, path);
        if (Token is not null)
        {
            request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", Token);
        }

        if (body is not null)
        {
            request.Content = JsonContent.Create(body, body.GetType(), mediaType: null, WireFormat.Json);
        }

        try
        {
            var response = await _http.SendAsync(request, completion, cancellationToken);
            if (response.IsSuccessStatusCode)
            {
                return response;
            }

            using (response)
            {
                throw new ChatPayException(await WireFormat.ReadErrorAsync(response, cancellationToken));
            }
        }
        catch (ObjectDisposedException over)
        {
            // Whoever disposed this may not be whoever asks, and a call of several requests may be between two.
            throw LocalErrors.SessionEnded(ChatSessionEnd.Closed, over);
        }
        catch (Exception lost) when (IsLoss(lost, cancellationToken))
        {
            throw LocalErrors.Offline(lost);
        }
    }

    /// <summary>Whether nobody knows if the request has arrived.</summary>
    private static bool IsLoss(Exception exception, CancellationToken cancellationToken) =>
        exception is HttpRequestException or IOException or JsonException or InvalidDataException
        || (exception is TaskCanceledException && !cancellationToken.IsCancellationRequested);
}
