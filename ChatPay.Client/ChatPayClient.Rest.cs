using System.Globalization;
using System.Runtime.CompilerServices;
using ChatPay.Core.Protocol;

namespace ChatPay.Client;

/// <content>
/// One method per REST call of docs/PROTOCOL.md; each throws <see cref="ChatPayException"/> on an error.
/// </content>
public sealed partial class ChatPayClient
{
    /// <summary>
    /// Account, device and the server's assets. A client that was made with a token knows whose it is from here on.
    /// </summary>
    /// <exception cref="ChatPayException"><c>unauthenticated</c>, or the server cannot be reached.</exception>
    /// <example>
    /// <code>Console.WriteLine((await client.MeAsync(cancellationToken)).Account.Handle);</code>
    /// </example>
    public async Task<MeReply> MeAsync(CancellationToken cancellationToken)
    {
        var asked = Token;
        var me = await SendAsync<MeReply>(HttpMethod.Get, "v1/me", null, cancellationToken);
        if (Token == asked)
        {
            // Else somebody has signed in meanwhile, and this is of the one before.
            (Account, Device, DeviceId) = (me.Account, me.Device, me.Device.Id);
        }

        return me;
    }

    /// <summary>Changes the account's display name, 1 to 64 characters.</summary>
    /// <exception cref="ChatPayException"><c>display_name_invalid</c>.</exception>
    /// <example>
    /// <code>await client.ChangeDisplayNameAsync("Ada L.", cancellationToken);</code>
    /// </example>
    public Task<AccountView> ChangeDisplayNameAsync(string displayName, CancellationToken cancellationToken) =>
        SendAsync<AccountView>(
            HttpMethod.Patch, "v1/me", new ChangeProfileRequest(displayName), cancellationToken);

    /// <summary>Changes the password, which ends all other sessions of the account.</summary>
    /// <exception cref="ChatPayException">
    /// <c>bad_credentials</c>, <c>password_length</c>, <c>password_common</c>.
    /// </exception>
    /// <example>
    /// <code>await client.ChangePasswordAsync(new(oldPassword, newPassword), cancellationToken);</code>
    /// </example>
    public Task ChangePasswordAsync(ChangePasswordRequest request, CancellationToken cancellationToken) =>
        SendAsync(HttpMethod.Put, "v1/me/password", request, cancellationToken);

    /// <summary>
    /// Says who may see whether this account is there; who shows it to nobody does not see it of others.
    /// </summary>
    /// <exception cref="ChatPayException"><c>unauthenticated</c>, or the server cannot be reached.</exception>
    /// <example>
    /// <code>await client.ChangePresenceAsync(PresenceVisibility.Nobody, cancellationToken);</code>
    /// </example>
    public Task ChangePresenceAsync(PresenceVisibility presence, CancellationToken cancellationToken) =>
        SendAsync(HttpMethod.Put, "v1/me/presence", new ChangePresenceRequest(presence), cancellationToken);

    /// <summary>The account's live devices.</summary>
    /// <exception cref="ChatPayException"><c>unauthenticated</c>, or the server cannot be reached.</exception>
    /// <example>
    /// <code>var names = (await client.DevicesAsync(cancellationToken)).Select(device => device.Name);</code>
    /// </example>
    public Task<IReadOnlyList<DeviceView>> DevicesAsync(CancellationToken cancellationToken) =>
        SendAsync<IReadOnlyList<DeviceView>>(HttpMethod.Get, "v1/devices", null, cancellationToken);

    /// <summary>Revokes a device of the account: its sessions end and its leaves wait to be removed.</summary>
    /// <exception cref="ChatPayException"><c>device_unknown</c>, among others.</exception>
    /// <example>
    /// <code>await client.RevokeDeviceAsync(lostPhone.Id, cancellationToken);</code>
    /// </example>
    public Task RevokeDeviceAsync(DeviceId device, CancellationToken cancellationToken) =>
        SendAsync(HttpMethod.Delete, $"v1/devices/{device}", null, cancellationToken);

    /// <summary>The account with exactly this handle.</summary>
    /// <param name="handle">With or without <c>@</c>.</param>
    /// <exception cref="ChatPayException"><c>account_unknown</c>; <c>too_many_requests</c>; among others.</exception>
    /// <example>
    /// <code>var ada = await client.FindAccountAsync("ada", cancellationToken);</code>
    /// </example>
    public Task<AccountView> FindAccountAsync(string handle, CancellationToken cancellationToken) =>
        SendAsync<AccountView>(
            HttpMethod.Get, $"v1/accounts/by-handle/{Uri.EscapeDataString(handle)}", null, cancellationToken);

    /// <summary>Adds key packages to this device's stock.</summary>
    /// <param name="request">At most 100, each up to 4 KiB.</param>
    /// <exception cref="ChatPayException">
    /// <c>key_package_invalid</c>; <c>invalid_argument</c>: too many; among others.
    /// </exception>
    /// <example>
    /// <code>
    /// using var bundle = KeyPackageBundle.Create(suite, member, notBefore, notAfter, lastResort: false, random);
    /// await client.UploadKeyPackagesAsync(new([bundle.Message], null), cancellationToken);
    /// </code>
    /// </example>
    public Task<KeyPackageCount> UploadKeyPackagesAsync(
        UploadKeyPackagesRequest request, CancellationToken cancellationToken) =>
        SendAsync<KeyPackageCount>(HttpMethod.Post, "v1/key-packages", request, cancellationToken);

    /// <summary>How many key packages of this device are left.</summary>
    /// <exception cref="ChatPayException"><c>unauthenticated</c>, or the server cannot be reached.</exception>
    /// <example>
    /// <code>var left = (await client.CountKeyPackagesAsync(cancellationToken)).OneTime;</code>
    /// </example>
    public Task<KeyPackageCount> CountKeyPackagesAsync(CancellationToken cancellationToken) =>
        SendAsync<KeyPackageCount>(HttpMethod.Get, "v1/key-packages", null, cancellationToken);

    /// <summary>Takes one key package of each live device of the accounts.</summary>
    /// <exception cref="ChatPayException"><c>account_unknown</c>; <c>too_many_requests</c>; among others.</exception>
    /// <example>
    /// <code>var claimed = (await client.ClaimKeyPackagesAsync(new([ada.Id]), cancellationToken)).KeyPackages;</code>
    /// </example>
    public Task<ClaimKeyPackagesReply> ClaimKeyPackagesAsync(
        ClaimKeyPackagesRequest request, CancellationToken cancellationToken) =>
        SendAsync<ClaimKeyPackagesReply>(HttpMethod.Post, "v1/key-packages/claim", request, cancellationToken);

    /// <summary>Creates a conversation with its first commit.</summary>
    /// <exception cref="ChatPayException">
    /// <c>conversation_exists</c> with its id; <c>commit_invalid</c>; <c>group_full</c>; among others.
    /// </exception>
    /// <example>
    /// <code>
    /// var request = new CreateConversationRequest(
    ///     id, ConversationKind.Group, clientId, pending.Message, pending.Welcome, pending.GroupInfo);
    /// var view = await client.CreateConversationAsync(request, cancellationToken);
    /// </code>
    /// </example>
    public Task<ConversationView> CreateConversationAsync(
        CreateConversationRequest request, CancellationToken cancellationToken) =>
        SendAsync<ConversationView>(HttpMethod.Post, "v1/conversations", request, cancellationToken);

    /// <summary>All conversations the account is in.</summary>
    /// <exception cref="ChatPayException"><c>unauthenticated</c>, or the server cannot be reached.</exception>
    /// <example>
    /// <code>
    /// var all = await client.ConversationsAsync(cancellationToken);
    /// var groups = all.Where(conversation => conversation.Kind == ConversationKind.Group);
    /// </code>
    /// </example>
    public async Task<IReadOnlyList<ConversationView>> ConversationsAsync(CancellationToken cancellationToken)
    {
        var all = new Dictionary<ConversationId, ConversationView>();
        ConversationId? last = null;
        while (true)
        {
            var page = await ConversationsAsync(last, Limits.ConversationsPerPage, cancellationToken);
            var known = all.Count;
            foreach (var view in page)
            {
                all[view.Id] = view;
            }

            // A server from before there were pages answers with all of them each time.
            if (page.Count != Limits.ConversationsPerPage || all.Count == known)
            {
                return [.. all.Values];
            }

            last = page[^1].Id;
        }
    }

    /// <summary>A page of the conversations that the account is in, by id.</summary>
    /// <param name="after">The last one of the page before, or null for the first page.</param>
    /// <param name="limit">1 to <see cref="Limits.ConversationsPerPage"/>; a page with fewer is the last.</param>
    /// <exception cref="ChatPayException"><c>invalid_argument</c>; <c>unauthenticated</c>; among others.</exception>
    /// <example>
    /// <code>
    /// var first = await client.ConversationsAsync(null, 20, cancellationToken);
    /// var second = await client.ConversationsAsync(first[^1].Id, 20, cancellationToken);
    /// </code>
    /// </example>
    public Task<IReadOnlyList<ConversationView>> ConversationsAsync(
        ConversationId? after, int limit, CancellationToken cancellationToken) =>
        SendAsync<IReadOnlyList<ConversationView>>(
            HttpMethod.Get,
            string.Create(CultureInfo.InvariantCulture, $"v1/conversations?limit={limit}")
            + (after is { } last ? $"&after={last}" : ""),
            null,
            cancellationToken);

    /// <summary>One conversation.</summary>
    /// <exception cref="ChatPayException"><c>conversation_unknown</c>; <c>not_member</c>; among others.</exception>
    /// <example>
    /// <code>var head = (await client.ConversationAsync(id, cancellationToken)).Head;</code>
    /// </example>
    public Task<ConversationView> ConversationAsync(ConversationId conversation, CancellationToken cancellationToken) =>
        SendAsync<ConversationView>(HttpMethod.Get, $"v1/conversations/{conversation}", null, cancellationToken);

    /// <summary>
    /// A page of the log, ascending: the first events after one seq, or the last before another. It is bounded in bytes
    /// too, so only an empty page is the end.
    /// </summary>
    /// <exception cref="ChatPayException">
    /// <c>conversation_unknown</c>; <c>not_member</c>; <c>invalid_argument</c>; among others.
    /// </exception>
    /// <example>
    /// <code>var first = await client.EventsAsync(id, after: 0, before: null, limit: 50, cancellationToken);</code>
    /// </example>
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
            HttpMethod.Get, $"v1/conversations/{conversation}/events?{string.Join('&', query)}", null,
            cancellationToken);
    }

    /// <summary>
    /// The log backwards, the newest first, for as long as its reader goes on: read a page at a time, each at the same
    /// cost however far back it is.
    /// </summary>
    /// <param name="before">Begins below this seq; null for the newest.</param>
    /// <exception cref="ChatPayException"><c>conversation_unknown</c>; <c>not_member</c>; among others.</exception>
    /// <example>
    /// <code>
    /// await foreach (var logged in client.HistoryAsync(id, null, cancellationToken))
    /// {
    ///     Console.WriteLine($"{logged.Seq} {logged.Kind}");
    /// }
    /// </code>
    /// </example>
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
    /// <exception cref="ChatPayException"><c>conversation_unknown</c>; <c>not_member</c>; among others.</exception>
    /// <example>
    /// <code>var info = (await client.GroupInfoAsync(id, cancellationToken)).GroupInfo;</code>
    /// </example>
    public Task<GroupInfoReply> GroupInfoAsync(ConversationId conversation, CancellationToken cancellationToken) =>
        SendAsync<GroupInfoReply>(
            HttpMethod.Get, $"v1/conversations/{conversation}/group-info", null, cancellationToken);

    /// <summary>Submits a commit over HTTP, for those too large for the hub.</summary>
    /// <exception cref="ChatPayException">
    /// <c>stale_epoch</c> with the winning commit; <c>commit_invalid</c>; among others.
    /// </exception>
    /// <example>
    /// <code>
    /// var request = new CommitRequest(id, clientId, epoch, pending.Message, pending.Welcome, pending.GroupInfo);
    /// var won = await client.SubmitCommitAsync(request, cancellationToken);
    /// </code>
    /// </example>
    public Task<CommitReply> SubmitCommitAsync(CommitRequest request, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(request);
        return SendAsync<CommitReply>(
            HttpMethod.Post, $"v1/conversations/{request.Conversation}/commits", request, cancellationToken);
    }

    /// <summary>Leaves a group.</summary>
    /// <exception cref="ChatPayException"><c>not_member</c>; <c>conversation_unknown</c>; among others.</exception>
    /// <example>
    /// <code>await client.LeaveAsync(id, cancellationToken);</code>
    /// </example>
    public Task LeaveAsync(ConversationId conversation, CancellationToken cancellationToken) =>
        SendAsync(HttpMethod.Post, $"v1/conversations/{conversation}/leave", null, cancellationToken);

    /// <summary>Puts a member out; owners only. Its leaves, if any, become pending removals.</summary>
    /// <exception cref="ChatPayException">
    /// <c>not_owner</c>; <c>member_unknown</c>; <c>direct_conversation</c>; among others.
    /// </exception>
    /// <example>
    /// <code>await client.RemoveMemberAsync(id, ben.Id, cancellationToken);</code>
    /// </example>
    public Task RemoveMemberAsync(ConversationId conversation, AccountId member, CancellationToken cancellationToken) =>
        SendAsync(HttpMethod.Delete, $"v1/conversations/{conversation}/members/{member}", null, cancellationToken);

    /// <summary>Sets a member's role; owners only.</summary>
    /// <exception cref="ChatPayException"><c>not_owner</c>; <c>member_unknown</c>; among others.</exception>
    /// <example>
    /// <code>await client.SetRoleAsync(id, ada.Id, MemberRole.Owner, cancellationToken);</code>
    /// </example>
    public Task SetRoleAsync(
        ConversationId conversation, AccountId member, MemberRole role, CancellationToken cancellationToken) =>
        SendAsync(
            HttpMethod.Put, $"v1/conversations/{conversation}/members/{member}", new SetRoleRequest(role),
            cancellationToken);

    /// <summary>Sets for how many days the server keeps the log; null for the server's default.</summary>
    /// <exception cref="ChatPayException"><c>not_owner</c>; <c>retention_invalid</c>; among others.</exception>
    /// <example>
    /// <code>await client.SetRetentionAsync(id, 30, cancellationToken);</code>
    /// </example>
    public Task SetRetentionAsync(ConversationId conversation, int? days, CancellationToken cancellationToken) =>
        SendAsync(
            HttpMethod.Put, $"v1/conversations/{conversation}/retention", new SetRetentionRequest(days),
            cancellationToken);

    /// <summary>The account's balances.</summary>
    /// <exception cref="ChatPayException"><c>unauthenticated</c>, or the server cannot be reached.</exception>
    /// <example>
    /// <code>
    /// foreach (var balance in (await client.WalletAsync(cancellationToken)).Balances)
    /// {
    ///     Console.WriteLine($"{balance.BalanceMinor} minor units of {balance.Asset}");
    /// }
    /// </code>
    /// </example>
    public Task<WalletReply> WalletAsync(CancellationToken cancellationToken) =>
        SendAsync<WalletReply>(HttpMethod.Get, "v1/wallet", null, cancellationToken);

    /// <summary>One balance as it was at an instant.</summary>
    /// <param name="at">An instant of the past, or null for now.</param>
    /// <exception cref="ChatPayException">
    /// <c>asset_unknown</c>; <c>invalid_argument</c> for the future; among others.
    /// </exception>
    /// <example>
    /// <code>var before = (await client.BalanceAsync("EUR", midnight, cancellationToken)).BalanceMinor;</code>
    /// </example>
    public Task<WalletBalanceAt> BalanceAsync(string asset, DateTimeOffset? at, CancellationToken cancellationToken) =>
        SendAsync<WalletBalanceAt>(
            HttpMethod.Get,
            $"v1/wallet/{Uri.EscapeDataString(asset)}/balance" + (at is { } instant ? "?at=" + TextOf(instant) : ""),
            null,
            cancellationToken);

    /// <summary>A page of the statement, newest first.</summary>
    /// <param name="before">The cursor of the page before, or null for the newest.</param>
    /// <exception cref="ChatPayException"><c>asset_unknown</c>, or the server cannot be reached.</exception>
    /// <example>
    /// <code>
    /// var newest = await client.StatementAsync("EUR", null, cancellationToken);
    /// var older = await client.StatementAsync("EUR", newest.Before, cancellationToken);
    /// </code>
    /// </example>
    public Task<StatementPage> StatementAsync(string asset, long? before, CancellationToken cancellationToken) =>
        StatementAsync(asset, before, null, null, null, cancellationToken);

    /// <summary>A page of the statement of a period, newest first.</summary>
    /// <param name="before">The cursor of the page before, or null for the newest.</param>
    /// <param name="limit">At most this many entries, up to 100; null for as many as the server likes.</param>
    /// <param name="from">Where the period begins, or null for the first entry.</param>
    /// <param name="to">Where it ends, not within, or null for now.</param>
    /// <exception cref="ChatPayException"><c>asset_unknown</c>; <c>invalid_argument</c>; among others.</exception>
    /// <example>
    /// <code>
    /// var ofMay = await client.StatementAsync("EUR", null, 100, firstOfMay, firstOfJune, cancellationToken);
    /// </code>
    /// </example>
    public Task<StatementPage> StatementAsync(
        string asset, long? before, int? limit, DateTimeOffset? from, DateTimeOffset? to,
        CancellationToken cancellationToken)
    {
        string[] query =
        [
            .. new (string Name, string? Value)[]
            {
                ("before", before?.ToString(CultureInfo.InvariantCulture)),
                ("limit", limit?.ToString(CultureInfo.InvariantCulture)),
                ("from", from is { } start ? TextOf(start) : null),
                ("to", to is { } end ? TextOf(end) : null),
            }.Where(part => part.Value is not null).Select(part => $"{part.Name}={part.Value}"),
        ];
        return SendAsync<StatementPage>(
            HttpMethod.Get, $"v1/wallet/{Uri.EscapeDataString(asset)}/statement?{string.Join('&', query)}", null,
            cancellationToken);
    }

    /// <summary>The statement as a file, read as it comes; to be disposed of.</summary>
    /// <param name="format">csv, json, ofx or camt053; json is a <see cref="StatementExport"/>.</param>
    /// <param name="from">Where it begins, or null for the first entry.</param>
    /// <param name="to">Where it ends, not within, or null for now.</param>
    /// <exception cref="ChatPayException"><c>asset_unknown</c>; <c>invalid_argument</c>; among others.</exception>
    /// <example>
    /// <code>
    /// await using var statement = await client.ExportAsync("EUR", "csv", null, null, cancellationToken);
    /// await statement.CopyToAsync(file, cancellationToken);
    /// </code>
    /// </example>
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
    /// <exception cref="ChatPayException"><c>card_unknown</c>, or the server cannot be reached.</exception>
    /// <example>
    /// <code>var state = (await client.CardAsync(id, cancellationToken)).State;</code>
    /// </example>
    public Task<CardView> CardAsync(CardId card, CancellationToken cancellationToken) =>
        SendAsync<CardView>(HttpMethod.Get, $"v1/cards/{card}", null, cancellationToken);

    /// <summary>RFC 3339 in UTC, which needs no escaping.</summary>
    private static string TextOf(DateTimeOffset instant) =>
        instant.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss.FFFFFFF'Z'", CultureInfo.InvariantCulture);
}
