using System.Collections.Concurrent;
using ChatPay.Core.Protocol;
using ChatPay.Core.Vault;
using Microsoft.AspNetCore.Http;

namespace ChatPay.Tests.Support;

/// <summary>
/// A server that names realms of its own choosing for the PIN vault, for <see cref="HttpFault.Around"/>: they have nothing, and
/// take what they are given.
/// </summary>
internal sealed class OtherRealms
{
    private readonly ConcurrentQueue<VaultMessageType> _asked = new();
    private int _isNamed;
    private int _looksBefore = -1;

    public IReadOnlyList<Guid> Realms { get; } = [VaultPerson.NewId(), VaultPerson.NewId(), VaultPerson.NewId()];

    /// <summary>Whether the server names these, and not those that it has.</summary>
    public bool IsNamed
    {
        get => Volatile.Read(ref _isNamed) == 1;
        set => Volatile.Write(ref _isNamed, value ? 1 : 0);
    }

    /// <summary>The server names its own so many times more, and then these.</summary>
    public void NameAfter(int looks) => Volatile.Write(ref _looksBefore, looks);

    /// <summary>What they tell of guesses and waits.</summary>
    public VaultAttempts Told { get; set; } = new([]);

    /// <summary>What devices have sent to them.</summary>
    public IReadOnlyCollection<VaultMessageType> Asked => _asked;

    public Task AroundAsync(HttpContext context, Func<Task> carryOut)
    {
        var path = context.Request.Path.Value!.Split('/');
        if (path is ["", "v1", "vault"] && Volatile.Read(ref _looksBefore) >= 0
            && Interlocked.Decrement(ref _looksBefore) < 0)
        {
            IsNamed = true;
        }

        return path is ["", "v1", "vault"] && IsNamed ? AnswerAsync(context, new VaultView(1, 2, Realms))
            : path is not ["", "v1", "vault", "realms", var id, ..] || !Realms.Contains(Guid.Parse(id)) ? carryOut()
            : HttpMethods.IsGet(context.Request.Method) ? AnswerAsync(context, Told)
            : TakeAsync(context);
    }

    /// <summary>What a device sends to a realm, whosever it is, and what can be read again; null for another request.</summary>
    public static async Task<VaultMessageType?> SentAsync(HttpContext context)
    {
        if (!HttpMethods.IsPost(context.Request.Method)
            || context.Request.Path.Value!.Split('/') is not ["", "v1", "vault", "realms", _])
        {
            return null;
        }

        context.Request.EnableBuffering();
        var message = await ReadAsync(context);
        context.Request.Body.Position = 0;
        return (VaultMessageType)message[1];
    }

    private static async Task<byte[]> ReadAsync(HttpContext context) =>
        (await context.Request.ReadFromJsonAsync<VaultExchange>(ProtocolJson.Create(), context.RequestAborted))!.Message;

    private async Task TakeAsync(HttpContext context)
    {
        var message = await ReadAsync(context);
        _asked.Enqueue((VaultMessageType)message[1]);
        var request = new Guid(message.AsSpan(2, 16), bigEndian: true);
        using VaultMessage answer = (VaultMessageType)message[1] switch
        {
            VaultMessageType.Register1Request => new Register1Response(request, RegistrationVersion.None),
            VaultMessageType.Register2Request => Registered(request, message),
            _ => new RealmRefusal(request, VaultRejection.NotRegistered),
        };
        await AnswerAsync(context, new VaultExchange(answer.Encoding.ToArray()));
    }

    private static Register2Response Registered(Guid id, byte[] message)
    {
        if (!VaultMessage.TryRead<Register2Request>(message, out var request, out var rejection))
        {
            throw new InvalidOperationException($"No registration: {rejection}.");
        }

        using (request)
        {
            return new Register2Response(id, request.Version);
        }
    }

    private static Task AnswerAsync<T>(HttpContext context, T answer) =>
        context.Response.WriteAsJsonAsync(answer, ProtocolJson.Create(), context.RequestAborted);
}
