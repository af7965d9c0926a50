using ChatPay.Core.Conversations;
using ChatPay.Core.Mls;
using ChatPay.Core.Protocol;
using ChatPay.Server.Accounts;
using ChatPay.Server.Conversations.Commands;
using ChatPay.Server.Hosting;

namespace ChatPay.Server.Conversations;

/// <summary>Reads what comes with a commit before it enters the write path, where time is dear.</summary>
internal sealed class HandshakeReader(AccountDirectory directory, IdFactory ids)
{
    private const ushort CipherSuite = 1;

    public async Task<Result<Handshake>> ReadAsync(Caller caller, CommitRequest request, CancellationToken cancellationToken)
    {
        if (request.Commit.Length > Limits.HandshakeBytes || request.Welcome?.Length > Limits.HandshakeBytes
            || request.GroupInfo.Length > Limits.HandshakeBytes)
        {
            return ConversationErrors.BodyTooLarge(Limits.HandshakeBytes);
        }

        Error? flaw = null;
        if (!CommitInspector.TryInspect(request.Commit, out var inspected, out var rejection))
        {
            flaw = ConversationErrors.CommitInvalid($"The commit is not one: {rejection}.");
        }

        flaw ??= CheckGroupInfo(request) ?? CheckWelcome(request, inspected!);
        var handshake = new Handshake(
            request.Conversation, request.ClientId, request.Epoch, request.Commit, request.Welcome, request.GroupInfo,
            inspected, flaw, new Dictionary<AccountId, AccountView>(), []);
        AccountId[] accounts =
            [.. handshake.Named.Select(identity => identity.Account).Append(caller.Account).Distinct()];
        return handshake with
        {
            Names = await directory.GetAsync(accounts, cancellationToken),
            WelcomeIds = [.. handshake.Named.Select(_ => ids.NewUuid())],
        };
    }

    private static Error? CheckGroupInfo(CommitRequest request) =>
        TlsCodec.TryDecode<MlsMessage>(request.GroupInfo, out var message, out _)
        && message.GroupInfo is { Context: { CipherSuite: CipherSuite } context }
        && GroupIds.TryRead(context.GroupId, out var group) && group == request.Conversation
        && context.Epoch == (ulong)request.Epoch + 1
            ? null : ConversationErrors.CommitInvalid("The GroupInfo is not that of the epoch which the commit begins.");

    private static Error? CheckWelcome(CommitRequest request, InspectedCommit commit)
    {
        if (commit.Adds.Count == 0)
        {
            return null;
        }

        return request.Welcome is { } welcome && TlsCodec.TryDecode<MlsMessage>(welcome, out var message, out _)
            && message.Welcome is { CipherSuite: CipherSuite } inner && inner.Secrets.Count == commit.Adds.Count
                ? null : ConversationErrors.CommitInvalid("A commit that adds devices comes with a Welcome for each of them.");
    }
}
