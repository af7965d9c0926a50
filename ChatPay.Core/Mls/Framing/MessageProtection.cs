using System.Diagnostics.CodeAnalysis;
using ChatPay.Core.Cryptography;

namespace ChatPay.Core.Mls;

/// <summary>Finds the key that a sender signs with; null where there is no such member or external sender.</summary>
/// <param name="type"><see cref="SenderType.Member"/> or <see cref="SenderType.External"/>; others bring their key along.</param>
/// <param name="index">Leaf index, or place in the external_senders extension.</param>
internal delegate byte[]? FindSignatureKey(SenderType type, uint index);

/// <summary>
/// Protects and opens the messages of one epoch for one member, RFC 9420 sections 6.2 and 6.3. Not safe for concurrent use.
/// It owns neither the secrets nor the ratchets that it works with.
/// </summary>
/// <remarks>
/// Whatever is refused has changed nothing. What it cannot check is left to the group: a commit's confirmation tag, which
/// only the epoch that it begins can tell, and everything that the content says.
/// </remarks>
internal sealed partial class MessageProtection
{
    /// <summary>Buffers larger than this are not kept for the next message.</summary>
    private const int KeptBufferBytes = 64 * 1024;

    private readonly MlsCipherSuite _suite;
    private readonly byte[] _groupId;
    private readonly ulong _epoch;
    private readonly byte[] _groupContext;
    private readonly EpochSecrets _secrets;
    private readonly SecretTree _ratchets;
    private readonly Sender _self;
    private readonly int _paddingBytes;

    /// <summary>For what is signed, and what is prepended to a ciphertext.</summary>
    private TlsWriter _signed = new(1024);

    /// <summary>For plaintexts; cleared as soon as they are used.</summary>
    private TlsWriter _plaintext = new(1024);

    /// <param name="context">The epoch's.</param>
    /// <param name="ratchets">The epoch's secret tree.</param>
    /// <param name="ownLeaf">Leaf index of the member.</param>
    /// <param name="paddingBytes">Plaintexts are padded to a multiple of this; 1 for no padding.</param>
    public MessageProtection(
        MlsCipherSuite suite, GroupContext context, EpochSecrets secrets, SecretTree ratchets, uint ownLeaf,
        int paddingBytes)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(paddingBytes, 1);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(paddingBytes, MlsLimits.PaddingBytes);
        _suite = suite;
        _groupId = context.GroupId;
        _epoch = context.Epoch;
        _groupContext = TlsCodec.Encode(context);
        _secrets = secrets;
        _ratchets = ratchets;
        _self = new Sender { Type = SenderType.Member, Index = ownLeaf };
        _paddingBytes = paddingBytes;
    }

    /// <summary>Signs handshake content of this member in this epoch.</summary>
    /// <param name="wireFormat">How it will travel: <see cref="ToPublic"/> or <see cref="ToPrivate"/>.</param>
    public AuthenticatedContent Sign(WireFormat wireFormat, FramedContent content, Key key) =>
        AuthenticatedContent.Sign(_suite, wireFormat, content, _groupContext, key);

    /// <summary>Adds the membership tag to what this member signed, section 6.2.</summary>
    /// <exception cref="ArgumentException">It was signed to travel otherwise, or lacks its confirmation tag.</exception>
    public PublicMessage ToPublic(AuthenticatedContent content)
    {
        CheckOutgoing(content, WireFormat.PublicMessage);
        try
        {
            AuthenticatedContent.WriteToBeSigned(_signed, WireFormat.PublicMessage, content.Content, _groupContext);
            AuthenticatedContent.WriteAuth(_signed, content.Signature, content.ConfirmationTag);
            return content.ToPublicMessage(_suite.Mac(_secrets.MembershipKey, _signed.WrittenSpan));
        }
        finally
        {
            Release(ref _signed);
        }
    }

    /// <summary>Checks a public message's group, epoch, sender, membership tag and signature.</summary>
    public bool TryFromPublic(
        PublicMessage message, FindSignatureKey findKey, [NotNullWhen(true)] out AuthenticatedContent? content,
        out MlsRejection rejection)
    {
        try
        {
            rejection = CheckPublic(message, findKey);
        }
        finally
        {
            Release(ref _signed);
        }

        content = rejection == MlsRejection.None
            ? new AuthenticatedContent
            {
                WireFormat = WireFormat.PublicMessage,
                Content = message.Content,
                Signature = message.Signature,
                ConfirmationTag = message.ConfirmationTag,
            }
            : null;
        return content is not null;
    }

    private MlsRejection CheckPublic(PublicMessage message, FindSignatureKey findKey)
    {
        var content = message.Content;
        var rejection = CheckEpoch(content.GroupId, content.Epoch);
        if (rejection != MlsRejection.None)
        {
            return rejection;
        }

        // Application data never travels in the clear, section 6.
        if (content.ContentType == ContentType.Application || !MaySend(content))
        {
            return MlsRejection.SenderForbidden;
        }

        AuthenticatedContent.WriteToBeSigned(_signed, WireFormat.PublicMessage, content, _groupContext);
        var signedLength = _signed.WrittenSpan.Length;
        if (!VerifyMembershipTag(message))
        {
            return MlsRejection.MembershipTagInvalid;
        }

        return CheckSignature(content, message.Signature, _signed.WrittenSpan[..signedLength], findKey);
    }

    private MlsRejection CheckEpoch(ReadOnlySpan<byte> groupId, ulong epoch) =>
        !groupId.SequenceEqual(_groupId) ? MlsRejection.GroupOther
        : epoch < _epoch ? MlsRejection.EpochPast
        : epoch > _epoch ? MlsRejection.EpochFuture
        : MlsRejection.None;

    /// <summary>Section 6.1: who is outside the group proposes, or joins by a commit, and does nothing else.</summary>
    private static bool MaySend(FramedContent content) => content.Sender.Type switch
    {
        SenderType.Member => true,
        SenderType.External => content.ContentType == ContentType.Proposal,
        SenderType.NewMemberProposal => content.Proposal is AddProposal,
        SenderType.NewMemberCommit => content.Commit is { Path: not null },
        _ => false,
    };

    private MlsRejection CheckSignature(
        FramedContent content, ReadOnlySpan<byte> signature, ReadOnlySpan<byte> toBeSigned, FindSignatureKey findKey)
    {
        if (FindKey(content, findKey) is not { } key)
        {
            return MlsRejection.LeafUnknown;
        }

        return _suite.VerifyWithLabel(key, AuthenticatedContent.Label, toBeSigned, signature)
            ? MlsRejection.None
            : MlsRejection.SignatureInvalid;
    }

    private static byte[]? FindKey(FramedContent content, FindSignatureKey findKey) => content.Sender.Type switch
    {
        SenderType.NewMemberProposal => (content.Proposal as AddProposal)?.KeyPackage.LeafNode.SignatureKey,
        SenderType.NewMemberCommit => content.Commit?.Path?.LeafNode.SignatureKey,
        _ => findKey(content.Sender.Type, content.Sender.Index),
    };

    /// <summary>Checks the tag over what <see cref="_signed"/> holds, to which it adds what the tag covers besides.</summary>
    private bool VerifyMembershipTag(PublicMessage message)
    {
        if (message.Content.Sender.Type != SenderType.Member)
        {
            return message.MembershipTag is null;
        }

        AuthenticatedContent.WriteAuth(_signed, message.Signature, message.ConfirmationTag);
        return message.MembershipTag is { } tag && _suite.VerifyMac(_secrets.MembershipKey, _signed.WrittenSpan, tag);
    }

    /// <summary>The member's own content of this epoch, complete, and signed for the way it is to go.</summary>
    private void CheckOutgoing(AuthenticatedContent content, WireFormat wireFormat)
    {
        var framed = content.Content;
        if (content.WireFormat != wireFormat
            || framed.Sender.Type != SenderType.Member || framed.Sender.Index != _self.Index
            || CheckEpoch(framed.GroupId, framed.Epoch) != MlsRejection.None
            || (framed.ContentType == ContentType.Application && wireFormat == WireFormat.PublicMessage)
            || (framed.ContentType == ContentType.Commit) != (content.ConfirmationTag is not null))
        {
            throw new ArgumentException("The content is not this member's, of this epoch, or not for this way.", nameof(content));
        }
    }

    private static void Release(ref TlsWriter writer)
    {
        writer.Clear();
        if (writer.CapacityBytes > KeptBufferBytes)
        {
            writer = new TlsWriter(1024);
        }
    }
}
