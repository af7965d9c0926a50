using System.Diagnostics.CodeAnalysis;

namespace ChatPay.Core.Mls;

/// <content>Messages to and from the group.</content>
public sealed partial class Group
{
    /// <summary>Encrypts application data for the members of this epoch, RFC 9420 section 15.</summary>
    /// <param name="authenticatedData">Sent along; protected from change, not from being read.</param>
    /// <returns>The MLSMessage to send.</returns>
    /// <exception cref="InvalidOperationException">
    /// The group is not active, or there are proposals that must be committed first (section 12.4); see
    /// <see cref="DropProposals"/>.
    /// </exception>
    /// <exception cref="ArgumentException">
    /// The message would be beyond <see cref="MlsLimits.MessageBytes"/>.
    /// </exception>
    public byte[] Encrypt(ReadOnlySpan<byte> data, ReadOnlySpan<byte> authenticatedData)
    {
        RequireActive();
        return _proposals.InOrder.Count == 0
            ? _protection.EncryptApplication(data, authenticatedData, _self.SignatureKey, _services.Random)
            : throw new InvalidOperationException("Proposals wait, and nothing is said before they are committed.");
    }

    /// <summary>Takes a message from the group: application data, a proposal or a commit of somebody else.</summary>
    /// <param name="message">A whole MLSMessage.</param>
    /// <param name="processed">What it was; null where it was refused.</param>
    /// <param name="rejection">Why it was refused, and the group is exactly as it was.</param>
    public bool TryProcess(
        ReadOnlySpan<byte> message, [NotNullWhen(true)] out Processed? processed, out MlsRejection rejection)
    {
        ObjectDisposedException.ThrowIf(_isDisposed, this);
        processed = null;
        if (Status != GroupStatus.Active)
        {
            rejection = MlsRejection.GroupInactive;
            return false;
        }

        if (!TryOpen(message, out var content, out var key, out rejection))
        {
            return false;
        }

        processed = content.Content.ContentType switch
        {
            ContentType.Application => new ProcessedApplication
            {
                SenderLeaf = content.Content.Sender.Index,
                Data = content.Content.ApplicationData!,
                AuthenticatedData = content.Content.AuthenticatedData,
            },
            ContentType.Proposal => Take(content, out rejection),
            _ => Follow(content, out rejection),
        };

        // After a commit the ratchets are the next epoch's, which the key is none of.
        if (processed is ProcessedApplication or ProcessedProposal && key is { } consumed)
        {
            _state.Ratchets.Consume(consumed);
        }

        return processed is not null;
    }

    /// <summary>Opens a message and checks all that authenticates it; nothing has changed yet.</summary>
    private bool TryOpen(
        ReadOnlySpan<byte> message, [NotNullWhen(true)] out AuthenticatedContent? content, out MessageKeyId? key,
        out MlsRejection rejection)
    {
        content = null;
        key = null;
        var reader = new TlsReader(message);
        if (MlsMessage.ReadWireFormat(ref reader) == WireFormat.PrivateMessage)
        {
            if (!_protection.TryFromPrivate(message, FindSignatureKey, out content, out var used, out rejection))
            {
                return false;
            }

            // A state restored from an older copy reads what it has sent since, but a commit's path was never for itself.
            key = used;
            rejection = content.Content.Commit is not null && used.Leaf == OwnLeaf
                ? MlsRejection.OwnMessage : MlsRejection.None;
            return rejection == MlsRejection.None;
        }

        if (!TlsCodec.TryDecode<MlsMessage>(message, out var decoded, out rejection))
        {
            return false;
        }

        if (decoded.PublicMessage is not { } opened)
        {
            rejection = MlsRejection.WrongKind;
            return false;
        }

        if (!_protection.TryFromPublic(opened, FindSignatureKey, out content, out rejection))
        {
            return false;
        }

        if (content.Content.Sender is { Type: SenderType.Member, Index: var sender } && sender == OwnLeaf)
        {
            rejection = MlsRejection.OwnMessage;
        }

        return rejection == MlsRejection.None;
    }
}
