using ChatPay.Core.Mls;
using ChatPay.Core.Protocol;

namespace ChatPay.Client.Internal;

/// <content>Into a group by the Welcome that somebody has sent.</content>
internal sealed partial class GroupDoor
{
    /// <summary>Joins by a Welcome, after a look at the keys of devices that are not known yet.</summary>
    private async Task TakeWelcomeAsync(
        ConversationState state, DeviceMessage message, CancellationToken cancellationToken)
    {
        IReadOnlyList<ShownLeaf> unknown;
        using (await core.EnterAsync(cancellationToken))
        {
            unknown = await TryJoinAsync(state, message, cancellationToken);
        }

        if (unknown.Count > 0)
        {
            await core.Keys.LookAtAsync(unknown, cancellationToken);
            using (await core.EnterAsync(cancellationToken))
            {
                await TryJoinAsync(state, message, cancellationToken);
            }
        }
    }

    /// <summary>Group, and the end of its one-time key, in one write; behind the gate.</summary>
    /// <returns>Leaves that are to be looked at before; then nothing was written.</returns>
    private async Task<IReadOnlyList<ShownLeaf>> TryJoinAsync(
        ConversationState state, DeviceMessage message, CancellationToken cancellationToken)
    {
        if (!TlsCodec.TryDecode<MlsMessage>(message.Body, out var decoded, out _) || decoded.Welcome is not { } welcome)
        {
            return [];
        }

        foreach (var secrets in welcome.Secrets)
        {
            var key = StoreKeys.KeyPackage(secrets.NewMember);
            if (await core.ReadAsync<KeyPackageRecord>(key, cancellationToken) is not { } stored
                || !KeyPackageBundle.TryLoad(stored.Bundle, core.Groups.StorageKey, out var bundle, out _))
            {
                continue;
            }

            using (bundle)
            {
                return await JoinAsync(
                    state, message, welcome, stored.LastResort ? null : key, bundle, cancellationToken);
            }
        }

        return [];
    }

    private async Task<IReadOnlyList<ShownLeaf>> JoinAsync(
        ConversationState state, DeviceMessage message, Welcome welcome, string? usedUp, KeyPackageBundle bundle,
        CancellationToken cancellationToken)
    {
        if (!Group.TryJoin(welcome, bundle, core.Groups.Member, core.Groups.Services, out var group, out _))
        {
            // The external commit that follows gets this device in without the Welcome.
            return [];
        }

        if ((state.Facts is { } known && known.Epoch >= (long)group.Epoch) || !IsOf(state, group))
        {
            group.Dispose();
            return [];
        }

        var unknown = core.Keys.Unknown(GroupKeeper.Shown(group.Members.Select(static member => member.Leaf)));
        if (unknown.Count > 0)
        {
            group.Dispose();
            return unknown;
        }

        core.Groups.Keep(state, group);
        var batch = new Batch(core);
        var draft = batch.Of(state);
        draft.EpochChanged(core.Groups, new((long)group.Epoch, message.Seq, []));
        draft.DropPending();
        if (usedUp is not null)
        {
            batch.Put(usedUp, null);
        }

        batch.After(() => state.Unreadable = false);
        await batch.WriteAsync(cancellationToken);
        return [];
    }

    /// <summary>A Welcome says by itself for which group it is, and may not say another one than the server.</summary>
    private static bool IsOf(ConversationState state, Group group) =>
        group.GroupId.AsSpan().SequenceEqual(GroupIds.From(state.Id)) && group.Suite == GroupKeeper.Suite
        && group.Extensions.Count == 0;
}
