using System.Diagnostics.CodeAnalysis;
using ChatPay.Core.Cryptography;

namespace ChatPay.Core.Mls;

/// <content>The group at rest.</content>
public sealed partial class Group
{
    /// <summary>
    /// Seals what stays the same within an epoch: the tree, this member's keys in it, the epoch's secrets. The message
    /// keys, which are deleted one by one, are <see cref="SaveRatchets"/>'s, so that an old copy of this reads no
    /// message.
    /// </summary>
    /// <exception cref="InvalidOperationException">This member was removed: there is nothing to keep.</exception>
    public byte[] SaveEpoch(StorageKey key, FillRandom random)
    {
        ArgumentNullException.ThrowIfNull(key);
        ArgumentNullException.ThrowIfNull(random);
        var state = Require();
        var writer = new TlsWriter(1024);
        StateCodec.WriteEpoch(writer, state);
        _pastKeys.Write(writer);
        return Seal(writer, key, StateKind.Epoch, random);
    }

    /// <summary>
    /// Seals what moves within an epoch: the message keys that are left, and the proposals that wait.
    /// </summary>
    /// <inheritdoc cref="SaveEpoch"/>
    public byte[] SaveRatchets(StorageKey key, FillRandom random)
    {
        ArgumentNullException.ThrowIfNull(key);
        ArgumentNullException.ThrowIfNull(random);
        var state = Require();
        var writer = new TlsWriter(1024);
        writer.WriteOpaque(state.Secrets.EpochAuthenticator);
        writer.WriteUInt32(OwnLeaf);
        state.Ratchets.Write(writer);
        _proposals.Write(writer);
        return Seal(writer, key, StateKind.Ratchets, random);
    }

    /// <summary>Opens what <see cref="SaveEpoch"/> and <see cref="SaveRatchets"/> sealed in the same epoch.</summary>
    /// <remarks>
    /// An older copy of the ratchets looks like the newest one: to keep copies from coming back is the storage's
    /// business.
    /// </remarks>
    /// <param name="self">The member whose leaf it is.</param>
    /// <param name="next">
    /// Who it becomes by a waiting Update of its own that changes its signature key; else null.
    /// </param>
    /// <param name="rejection">
    /// <see cref="MlsRejection.StateVersionUnknown"/>, <see cref="MlsRejection.StateKindWrong"/>,
    /// <see cref="MlsRejection.StateUnreadable"/> or <see cref="MlsRejection.StateMismatch"/>.
    /// </param>
    /// <exception cref="ArgumentException">The leaf, or the waiting Update, is of another member.</exception>
    public static bool TryLoad(
        ReadOnlySpan<byte> epochBlob, ReadOnlySpan<byte> ratchetBlob, StorageKey key, MlsMember self,
        MlsServices services, [NotNullWhen(true)] out Group? group, out MlsRejection rejection, MlsMember? next = null)
    {
        ArgumentNullException.ThrowIfNull(key);
        ArgumentNullException.ThrowIfNull(self);
        MlsServices.Validate(services);
        group = null;
        if (!key.TryOpen(epochBlob, StateKind.Epoch, out var place, out var epoch, out rejection))
        {
            return false;
        }

        using (epoch)
        {
            if (!key.TryOpen(ratchetBlob, StateKind.Ratchets, out var ratchetPlace, out var ratchets, out rejection))
            {
                return false;
            }

            using (ratchets)
            {
                if (ratchetPlace.Epoch != place.Epoch || !ratchetPlace.GroupId.AsSpan().SequenceEqual(place.GroupId))
                {
                    rejection = MlsRejection.StateMismatch;
                    return false;
                }

                return TryRead(epoch.Span, ratchets.Span, self, services, next, out group, out rejection);
            }
        }
    }

    private static bool TryRead(
        ReadOnlySpan<byte> epoch, ReadOnlySpan<byte> ratchets, MlsMember self, MlsServices services, MlsMember? next,
        [NotNullWhen(true)] out Group? group, out MlsRejection rejection)
    {
        group = null;
        var epochReader = TlsReader.OfState(epoch);
        var parts = StateCodec.ReadEpoch(ref epochReader);
        var pastKeys = ResumptionKeys.Read(ref epochReader);
        epochReader.End();
        if (parts is null || epochReader.Rejection != MlsRejection.None)
        {
            parts?.Dispose();
            pastKeys.Dispose();
            rejection = MlsRejection.StateUnreadable;
            return false;
        }

        var ratchetReader = TlsReader.OfState(ratchets);
        var authenticator = ratchetReader.ReadOpaqueSpan();
        var isSame = authenticator.SequenceEqual(parts.Secrets.EpochAuthenticator)
            & ratchetReader.ReadUInt32() == parts.Keys.Leaf;
        var tree = SecretTree.Read(ref ratchetReader, parts.Public.Suite);
        var proposals = Mls.PendingProposals.Read(ref ratchetReader);
        ratchetReader.End();
        rejection = ratchetReader.Rejection != MlsRejection.None ? MlsRejection.StateUnreadable
            : isSame && tree.Width == parts.Public.Tree.Width ? MlsRejection.None : MlsRejection.StateMismatch;
        var state = parts.With(tree);
        group = new Group(state, self, services, proposals, pastKeys);
        if (rejection != MlsRejection.None)
        {
            group.Dispose();
            group = null;
            return false;
        }

        group.CheckIdentity(next);
        return true;
    }

    private byte[] Seal(TlsWriter writer, StorageKey key, StateKind kind, FillRandom random)
    {
        var blob = key.Seal(kind, new StatePlace(GroupId, Epoch), writer.WrittenSpan, random);
        writer.Clear();
        return blob;
    }

    /// <summary>The caller brought the member that the state is of, and the one that it is about to become.</summary>
    private void CheckIdentity(MlsMember? next)
    {
        var isOwn = _state.Tree.Leaf(OwnLeaf) is { } leaf
            && leaf.SignatureKey.AsSpan().SequenceEqual(_self.PublicSignatureKey);
        foreach (var pending in _proposals.InOrder)
        {
            if (pending is { LeafKey: not null, Sent.Proposal: UpdateProposal { LeafNode.SignatureKey: var key } }
                && !key.AsSpan().SequenceEqual(_self.PublicSignatureKey))
            {
                pending.NextIdentity = next;
                isOwn &= next is not null && key.AsSpan().SequenceEqual(next.PublicSignatureKey);
            }
        }

        if (!isOwn)
        {
            Dispose();
            throw new ArgumentException("The state is of another member.", nameof(next));
        }
    }
}
