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
    private static readonly MlsCipherSuite Suite = MlsCipherSuite.X25519Aes128Gcm;

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

        GroupInfo? groupInfo = null;
        if (inspected is not null)
        {
            flaw = ReadGroupInfo(request, out groupInfo) ?? CheckWelcome(request, inspected)
                ?? CheckSignatures(inspected, groupInfo!);
        }

        var handshake = new Handshake(
            request.Conversation, request.ClientId, request.Epoch, request.Commit, request.Welcome, request.GroupInfo,
            inspected, groupInfo?.Signer ?? 0, flaw, new Dictionary<AccountId, AccountView>(), []);
        AccountId[] accounts =
            [.. handshake.Named.Select(identity => identity.Account).Append(caller.Account).Distinct()];
        return handshake with
        {
            Names = await directory.GetAsync(accounts, cancellationToken),
            WelcomeIds = [.. handshake.Named.Select(_ => ids.NewUuid())],
        };
    }

    private static Error? ReadGroupInfo(CommitRequest request, out GroupInfo? groupInfo)
    {
        groupInfo = TlsCodec.TryDecode<MlsMessage>(request.GroupInfo, out var message, out _) ? message.GroupInfo : null;
        return groupInfo is { Context: var context }
            && GroupIds.TryRead(context.GroupId, out var group) && group == request.Conversation
            && request.Epoch is >= 0 and < long.MaxValue && context.Epoch == (ulong)(request.Epoch + 1)
                ? null : ConversationErrors.CommitInvalid("The GroupInfo is not that of the epoch which the commit begins.");
    }

    private static Error? CheckWelcome(CommitRequest request, InspectedCommit commit)
    {
        if (commit.Adds.Count == 0)
        {
            return null;
        }

        return request.Welcome is { } welcome && TlsCodec.TryDecode<MlsMessage>(welcome, out var message, out _)
            && message.Welcome is { } inner && inner.CipherSuite == Suite.Id && AreNamed(commit.Adds, inner)
                ? null : ConversationErrors.CommitInvalid("A commit that adds devices comes with a Welcome for each of them.");
    }

    private static bool AreNamed(IReadOnlyList<KeyPackage> adds, Welcome welcome) =>
        welcome.Secrets.Count == adds.Count
        && adds.Select(add => Convert.ToHexString(Suite.KeyPackageRef(add))).ToHashSet(StringComparer.Ordinal)
            .SetEquals(welcome.Secrets.Select(secret => Convert.ToHexString(secret.NewMember)));

    /// <summary>
    /// What every member would refuse must not become the group's next epoch, or one member could stop the group. Whether
    /// the keys are those of the devices, and the leaf the committer's, is judged in the batch.
    /// </summary>
    private static Error? CheckSignatures(InspectedCommit commit, GroupInfo groupInfo)
    {
        foreach (var add in commit.Adds)
        {
            var flaw = add.CipherSuite == Suite.Id ? KeyPackageValidation.Check(add) : MlsRejection.UnsupportedCipherSuite;
            if (flaw != MlsRejection.None || !IsCertified(add.LeafNode))
            {
                return ConversationErrors.CommitInvalid(
                    $"An added key package is not valid: {(flaw == MlsRejection.None ? MlsRejection.CredentialInvalid : flaw)}.");
            }
        }

        if (commit.PathLeaf is not { } leaf)
        {
            // Without a path the commit is refused anyway.
            return null;
        }

        var rejection = LeafNodeValidation.Check(leaf, Suite, commit.GroupId, groupInfo.Signer);
        if (rejection != MlsRejection.None)
        {
            return ConversationErrors.CommitInvalid($"The committer's leaf is not valid: {rejection}.");
        }

        if (!IsCertified(leaf))
        {
            return ConversationErrors.CommitInvalid("The committer's certificate is not by the identity key in its credential.");
        }

        rejection = GroupInfoValidation.Check(groupInfo, Suite, leaf.SignatureKey);
        return rejection == MlsRejection.None
            ? null : ConversationErrors.CommitInvalid($"The GroupInfo is not valid: {rejection}.");
    }

    /// <summary>Whose the identity key is, is judged in the batch, and whether there may be no certificate.</summary>
    private static bool IsCertified(LeafNode leaf) =>
        !DeviceCredential.TryRead(leaf.Credential, out var credential) || credential.IsFor(leaf.SignatureKey);
}
