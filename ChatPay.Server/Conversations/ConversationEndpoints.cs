using System.Security.Claims;
using ChatPay.Core.Protocol;
using ChatPay.Server.Hosting;
using Microsoft.AspNetCore.Http.HttpResults;

namespace ChatPay.Server.Conversations;

/// <summary>Conversations over HTTP: what is large, and what is asked once.</summary>
internal static class ConversationEndpoints
{
    public static void MapConversations(this RouteGroupBuilder v1)
    {
        var group = v1.MapGroup("/conversations").WithTags("Conversations").RequireAuthorization();
        var reads = group.MapGroup("").RequireRateLimiting(RateLimitPolicies.Reads);
        var writes = group.MapGroup("").RequireRateLimiting(RateLimitPolicies.Writes);
        writes.MapPost("", CreateAsync);
        reads.MapGet("", ListAsync);
        reads.MapGet("/{id:guid}", FindAsync);
        reads.MapGet("/{id:guid}/events", EventsAsync);
        reads.MapGet("/{id:guid}/group-info", GroupInfoAsync);
        writes.MapPost("/{id:guid}/commits", CommitAsync);
        writes.MapPost("/{id:guid}/leave", LeaveAsync);
        writes.MapPut("/{id:guid}/retention", SetRetentionAsync);
        writes.MapPut("/{id:guid}/members/{account:guid}", SetRoleAsync);
        writes.MapDelete("/{id:guid}/members/{account:guid}", RemoveMemberAsync);
    }

    private static async Task<Results<Created<ConversationView>, ErrorResult>> CreateAsync(
        CreateConversationRequest request, ClaimsPrincipal user, ConversationService conversations,
        CancellationToken cancellationToken) =>
        (await conversations.CreateAsync(user.Caller(), request, cancellationToken))
            .ToCreated(created => $"/v1/conversations/{created.Id}");

    /// <summary>
    /// Clients of before ask for no page and know no other: they get all, which is written while it is read. The first page
    /// is read before, so that a database that is away is an answer and not half of one.
    /// </summary>
    private static async Task<Results<Ok<IReadOnlyList<ConversationView>>, Ok<IAsyncEnumerable<ConversationView>>, ErrorResult>>
        ListAsync(
            Guid? after, int? limit, ClaimsPrincipal user, ConversationService conversations,
            CancellationToken cancellationToken)
    {
        var caller = user.Caller();
        var page = await conversations.ListAsync(
            caller, after is { } last ? new(last) : null, limit, cancellationToken);
        if (page.Error is { } error)
        {
            return new ErrorResult(error);
        }

        return after is null && limit is null && page.Value.Count == Limits.ConversationsPerPage
            ? TypedResults.Ok(conversations.ListAllAsync(caller, page.Value, cancellationToken))
            : TypedResults.Ok(page.Value);
    }

    private static async Task<Results<Ok<ConversationView>, ErrorResult>> FindAsync(
        Guid id, ClaimsPrincipal user, ConversationService conversations, CancellationToken cancellationToken) =>
        (await conversations.FindAsync(user.Caller(), new(id), cancellationToken)).ToOk();

    private static async Task<Results<Ok<IReadOnlyList<Event>>, ErrorResult>> EventsAsync(
        Guid id, long? after, long? before, int? limit, ClaimsPrincipal user, ConversationService conversations,
        CancellationToken cancellationToken) =>
        (await conversations.EventsAsync(user.Caller(), new(id), after, before, limit, cancellationToken)).ToOk();

    private static async Task<Results<Ok<GroupInfoReply>, ErrorResult>> GroupInfoAsync(
        Guid id, ClaimsPrincipal user, ConversationService conversations, CancellationToken cancellationToken) =>
        (await conversations.GroupInfoAsync(user.Caller(), new(id), cancellationToken)).ToOk();

    private static async Task<Results<Ok<CommitReply>, ErrorResult>> CommitAsync(
        Guid id, CommitRequest request, ClaimsPrincipal user, ConversationService conversations,
        CancellationToken cancellationToken) =>
        request.Conversation.Value == id
            ? (await conversations.CommitAsync(user.Caller(), request, cancellationToken)).ToOk()
            : new ErrorResult(new(ErrorCode.InvalidArgument, "Path and body name different conversations."));

    private static async Task<Results<NoContent, ErrorResult>> LeaveAsync(
        Guid id, ClaimsPrincipal user, ConversationService conversations, CancellationToken cancellationToken) =>
        (await conversations.LeaveAsync(user.Caller(), new(id), cancellationToken)).ToNoContent();

    private static async Task<Results<NoContent, ErrorResult>> SetRetentionAsync(
        Guid id, SetRetentionRequest request, ClaimsPrincipal user, ConversationService conversations,
        CancellationToken cancellationToken) =>
        (await conversations.SetRetentionAsync(user.Caller(), new(id), request.Days, cancellationToken)).ToNoContent();

    private static async Task<Results<NoContent, ErrorResult>> SetRoleAsync(
        Guid id, Guid account, SetRoleRequest request, ClaimsPrincipal user, ConversationService conversations,
        CancellationToken cancellationToken) =>
        (await conversations.SetRoleAsync(user.Caller(), new(id), new(account), request.Role, cancellationToken))
            .ToNoContent();

    private static async Task<Results<NoContent, ErrorResult>> RemoveMemberAsync(
        Guid id, Guid account, ClaimsPrincipal user, ConversationService conversations,
        CancellationToken cancellationToken) =>
        (await conversations.RemoveMemberAsync(user.Caller(), new(id), new(account), cancellationToken)).ToNoContent();
}
