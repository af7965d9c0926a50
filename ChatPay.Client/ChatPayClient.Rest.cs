using System.Globalization;
using System.Runtime.CompilerServices;
using ChatPay.Core.Protocol;

namespace ChatPay.Client;

/// <content>One method per REST call of docs/PROTOCOL.md; each throws <see cref="ChatPayException"/> on an error.</content>
public sealed partial class ChatPayClient
{
    /// <summary>
    /// Account, device and the server's assets. A client that was made with a token knows whose it is from here on.
    /// </summary>
    public async Task<MeReply> MeAsync(CancellationToken cancellationToken)
    {
        var me = await SendAsync<MeReply>(HttpMethod.Get, "v1/me", null, cancellationToken);
        (Account, Device) = (me.Account, me.Device);
        return me;
    }

    /// <summary>Says who may see whether this account is there; who shows it to nobody does not see it of others.</summary>
    public Task ChangePresenceAsync(PresenceVisibility presence, CancellationToken cancellationToken) =>
        SendAsync(HttpMethod.Put, "v1/me/presence", new ChangePresenceRequest(presence), cancellationToken);

    /// <summary>The account's live devices.</summary>
    public Task<IReadOnlyList<DeviceView>> DevicesAsync(CancellationToken cancellationToken) =>
        SendAsync<IReadOnlyList<DeviceView>>(HttpMethod.Get, "v1/devices", null, cancellationToken);

    /// <summary>Revokes a device of the account: its sessions end and its leaves wait to be removed.</summary>
    public Task RevokeDeviceAsync(DeviceId device, CancellationToken cancellationToken) =>
        SendAsync(HttpMethod.Delete, $"v1/devices/{device}", null, cancellationToken);

    /// <summary>The account with exactly this handle.</summary>
    public Task<AccountView> FindAccountAsync(string handle, CancellationToken cancellationToken) =>
        SendAsync<AccountView>(
            HttpMethod.Get, $"v1/accounts/by-handle/{Uri.EscapeDataString(handle)}", null, cancellationToken);

    /// <summary>Adds key packages to this device's stock.</summary>
    public Task<KeyPackageCount> UploadKeyPackagesAsync(
        UploadKeyPackagesRequest request, CancellationToken cancellationToken) =>
        SendAsync<KeyPackageCount>(HttpMethod.Post, "v1/key-packages", request, cancellationToken);

    /// <summary>How many key packages of this device are left.</summary>
    public Task<KeyPackageCount> CountKeyPackagesAsync(CancellationToken cancellationToken) =>
        SendAsync<KeyPackageCount>(HttpMethod.Get, "v1/key-packages", null, cancellationToken);

    /// <summary>Takes one key package of each live device of the accounts.</summary>
    public Task<ClaimKeyPackagesReply> ClaimKeyPackagesAsync(
        ClaimKeyPackagesRequest request, CancellationToken cancellationToken) =>
        SendAsync<ClaimKeyPackagesReply>(HttpMethod.Post, "v1/key-packages/claim", request, cancellationToken);

    /// <summary>Creates a conversation with its first commit.</summary>
    public Task<ConversationView> CreateConversationAsync(
        CreateConversationRequest request, CancellationToken cancellationToken) =>
        SendAsync<ConversationView>(HttpMethod.Post, "v1/conversations", request, cancellationToken);

    /// <summary>All conversations the account is in.</summary>
    public Task<IReadOnlyList<ConversationView>> ConversationsAsync(CancellationToken cancellationToken) =>
        SendAsync<IReadOnlyList<ConversationView>>(HttpMethod.Get, "v1/conversations", null, cancellationToken);

    /// <summary>One conversation.</summary>
    public Task<ConversationView> ConversationAsync(ConversationId conversation, CancellationToken cancellationToken) =>
        SendAsync<ConversationView>(HttpMethod.Get, $"v1/conversations/{conversation}", null, cancellationToken);

    /// <summary>
    /// A page of the log, ascending: the first events after one seq, or the last before another. It is bounded in bytes
    /// too, so only an empty page is the end.
    /// </summary>
    public Task<IReadOnlyList<Event>> EventsAsync(
        ConversationId conversation, long? after, long? before, int? limit, CancellationToken cancellationToken)
    {
        string[] query =
        [
            .. new (string Name, long? Value)[] { ("after", after), ("before", before), ("limit", limit) }
                .Where(part => part.Value is not null)
                .Select(part => string.Create(CultureInfo.InvariantCulture, $"{part.Name}={part.Value}")),
        ];
        return SendAsync<IReadOnlyList<Event>>(
            HttpMethod.Get, $"v1/conversations/{conversation}/events?{string.Join('&', query)}", null, cancellationToken);
    }

    /// <summary>
    /// The log backwards, the newest first, for as long as its reader goes on: read a page at a time, each at the same cost
    /// however far back it is.
    /// </summary>
    /// <param name="before">Begins below this seq; null for the newest.</param>
    public async IAsyncEnumerable<Event> HistoryAsync(
        ConversationId conversation, long? before, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        for (var below = before ?? long.MaxValue; below > 1;)
        {
            var page = await EventsAsync(conversation, null, below, null, cancellationToken);
            if (page.Count == 0)
            {
                yield break;
            }

            for (var i = page.Count - 1; i >= 0; i--)
            {
                yield return page[i];
            }

            below = page[0].Seq;
        }
    }

    /// <summary>What an external join needs.</summary>
    public Task<GroupInfoReply> GroupInfoAsync(ConversationId conversation, CancellationToken cancellationToken) =>
        SendAsync<GroupInfoReply>(
            HttpMethod.Get, $"v1/conversations/{conversation}/group-info", null, cancellationToken);

    /// <summary>Submits a commit over HTTP, for those too large for the hub.</summary>
    public Task<CommitReply> SubmitCommitAsync(CommitRequest request, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(request);
        return SendAsync<CommitReply>(
            HttpMethod.Post, $"v1/conversations/{request.Conversation}/commits", request, cancellationToken);
    }

    /// <summary>Leaves a group.</summary>
    public Task LeaveAsync(ConversationId conversation, CancellationToken cancellationToken) =>
        SendAsync(HttpMethod.Post, $"v1/conversations/{conversation}/leave", null, cancellationToken);

    /// <summary>Puts a member out; owners only. Its leaves, if any, become pending removals.</summary>
    public Task RemoveMemberAsync(ConversationId conversation, AccountId member, CancellationToken cancellationToken) =>
        SendAsync(HttpMethod.Delete, $"v1/conversations/{conversation}/members/{member}", null, cancellationToken);

    /// <summary>Sets a member's role; owners only.</summary>
    public Task SetRoleAsync(
        ConversationId conversation, AccountId member, MemberRole role, CancellationToken cancellationToken) =>
        SendAsync(
            HttpMethod.Put, $"v1/conversations/{conversation}/members/{member}", new SetRoleRequest(role),
            cancellationToken);

    /// <summary>Sets for how many days the server keeps the log; null for the server's default.</summary>
    public Task SetRetentionAsync(ConversationId conversation, int? days, CancellationToken cancellationToken) =>
        SendAsync(
            HttpMethod.Put, $"v1/conversations/{conversation}/retention", new SetRetentionRequest(days), cancellationToken);

    /// <summary>The account's balances.</summary>
    public Task<WalletReply> WalletAsync(CancellationToken cancellationToken) =>
        SendAsync<WalletReply>(HttpMethod.Get, "v1/wallet", null, cancellationToken);

    /// <summary>One balance as it was at an instant.</summary>
    /// <param name="at">An instant of the past, or null for now.</param>
    public Task<WalletBalanceAt> BalanceAsync(string asset, DateTimeOffset? at, CancellationToken cancellationToken) =>
        SendAsync<WalletBalanceAt>(
            HttpMethod.Get,
            $"v1/wallet/{Uri.EscapeDataString(asset)}/balance" + (at is { } instant ? "?at=" + TextOf(instant) : ""),
            null,
            cancellationToken);

    /// <summary>A page of the statement, newest first.</summary>
    /// <param name="before">The cursor of the page before, or null for the newest.</param>
    public Task<StatementPage> StatementAsync(string asset, long? before, CancellationToken cancellationToken) =>
        SendAsync<StatementPage>(
            HttpMethod.Get,
            string.Create(CultureInfo.InvariantCulture, $"v1/wallet/{Uri.EscapeDataString(asset)}/statement?")
                + (before is null ? "" : string.Create(CultureInfo.InvariantCulture, $"before={before}")),
            null,
            cancellationToken);

    /// <summary>The statement as a file, read as it comes; to be disposed of.</summary>
    /// <param name="format">csv, json, ofx or camt053; json is a <see cref="StatementExport"/>.</param>
    /// <param name="from">Where it begins, or null for the first entry.</param>
    /// <param name="to">Where it ends, not within, or null for now.</param>
    public async Task<Stream> ExportAsync(
        string asset, string format, DateTimeOffset? from, DateTimeOffset? to, CancellationToken cancellationToken)
    {
        var path = $"v1/wallet/{Uri.EscapeDataString(asset)}/export?format={Uri.EscapeDataString(format)}"
            + (from is { } start ? "&from=" + TextOf(start) : "") + (to is { } end ? "&to=" + TextOf(end) : "");
        var response = await RequestAsync(
            HttpMethod.Get, path, null, cancellationToken, HttpCompletionOption.ResponseHeadersRead);
        return await response.Content.ReadAsStreamAsync(cancellationToken);
    }

    /// <summary>A card of one of the account's conversations.</summary>
    public Task<CardView> CardAsync(CardId card, CancellationToken cancellationToken) =>
        SendAsync<CardView>(HttpMethod.Get, $"v1/cards/{card}", null, cancellationToken);

    /// <summary>RFC 3339 in UTC, which needs no escaping.</summary>
    private static string TextOf(DateTimeOffset instant) =>
        instant.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss.FFFFFFF'Z'", CultureInfo.InvariantCulture);
}
