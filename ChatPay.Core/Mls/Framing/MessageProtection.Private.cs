using System.Buffers.Binary;
using System.Diagnostics.CodeAnalysis;
using System.Security.Cryptography;
using ChatPay.Core.Cryptography;

namespace ChatPay.Core.Mls;

/// <content>PrivateMessage, RFC 9420 section 6.3.</content>
/// <remarks>
/// What the two ciphers authenticate besides their plaintexts, PrivateContentAAD and SenderDataAAD, is how the PrivateMessage
/// itself begins, so both are slices of the message.
/// </remarks>
internal sealed partial class MessageProtection
{
    /// <summary>Version and wire format of an MLSMessage, before the PrivateMessage itself.</summary>
    private const int EnvelopeBytes = 4;

    private const int ReuseGuardBytes = 4;

    /// <summary>Encrypts application data, and signs it: an MLSMessage with a PrivateMessage, as bytes.</summary>
    /// <param name="key">This member's signature key.</param>
    /// <param name="random">Gives the reuse guard.</param>
    /// <exception cref="ArgumentException">The message would be beyond <see cref="MlsLimits.MessageBytes"/>.</exception>
    /// <exception cref="InvalidOperationException">The epoch's message keys are used up.</exception>
    public byte[] EncryptApplication(
        ReadOnlySpan<byte> data, ReadOnlySpan<byte> authenticatedData, Key key, FillRandom random)
    {
        try
        {
            // FramedContentTBS, written here because a FramedContent would need copies of what it holds.
            _signed.WriteUInt16(ProtocolVersion.Mls10);
            _signed.WriteUInt16((ushort)WireFormat.PrivateMessage);
            _signed.WriteOpaque(_groupId);
            _signed.WriteUInt64(_epoch);
            _self.Write(_signed);
            _signed.WriteOpaque(authenticatedData);
            _signed.WriteByte((byte)ContentType.Application);
            _signed.WriteOpaque(data);
            _signed.WriteFixed(_groupContext);
            var signature = _suite.SignWithLabel(key, AuthenticatedContent.Label, _signed.WrittenSpan);
            _signed.Clear();

            _plaintext.WriteOpaque(data);
            AuthenticatedContent.WriteAuth(_plaintext, signature, confirmationTag: null);
            return SealPlaintext(ContentType.Application, authenticatedData, random);
        }
        finally
        {
            Release(ref _signed);
            Release(ref _plaintext);
        }
    }

    /// <summary>Encrypts content that this member signed: an MLSMessage with a PrivateMessage, as bytes.</summary>
    /// <param name="random">Gives the reuse guard.</param>
    /// <exception cref="ArgumentException">
    /// It was signed to travel otherwise, lacks its confirmation tag, or would be beyond <see cref="MlsLimits.MessageBytes"/>.
    /// </exception>
    /// <exception cref="InvalidOperationException">The epoch's message keys are used up.</exception>
    public byte[] ToPrivate(AuthenticatedContent content, FillRandom random)
    {
        CheckOutgoing(content, WireFormat.PrivateMessage);
        try
        {
            content.Content.WriteBody(_plaintext);
            AuthenticatedContent.WriteAuth(_plaintext, content.Signature, content.ConfirmationTag);
            return SealPlaintext(content.Content.ContentType, content.Content.AuthenticatedData, random);
        }
        finally
        {
            Release(ref _signed);
            Release(ref _plaintext);
        }
    }

    /// <summary>
    /// Opens an MLSMessage that holds a PrivateMessage of another member, and checks its signature. A message of this
    /// member itself is <see cref="MlsRejection.OwnMessage"/>, unless it is ahead of its ratchet, as after a state that
    /// was restored from an older copy: then it opens, and its key will not be used for sending.
    /// </summary>
    /// <param name="key">
    /// The key that opened it, still there: whoever accepts the message gives it to <see cref="SecretTree.Consume"/>.
    /// </param>
    /// <param name="rejection"><see cref="MlsRejection.WrongKind"/> for another kind of message.</param>
    public bool TryFromPrivate(
        ReadOnlySpan<byte> message, FindSignatureKey findKey, [NotNullWhen(true)] out AuthenticatedContent? content,
        out MessageKeyId key, out MlsRejection rejection)
    {
        try
        {
            rejection = Open(message, findKey, out content, out key);
            return rejection == MlsRejection.None;
        }
        finally
        {
            Release(ref _signed);
            Release(ref _plaintext);
        }
    }

    /// <summary>Pads and encrypts the PrivateMessageContent in <see cref="_plaintext"/>.</summary>
    private byte[] SealPlaintext(ContentType contentType, ReadOnlySpan<byte> authenticatedData, FillRandom random)
    {
        var unpadded = _plaintext.WrittenSpan.Length;
        var excess = unpadded % _paddingBytes;
        _plaintext.Append(excess == 0 ? 0 : _paddingBytes - excess).Clear();
        var plaintext = _plaintext.WrittenSpan;

        _signed.WriteUInt16(ProtocolVersion.Mls10);
        _signed.WriteUInt16((ushort)WireFormat.PrivateMessage);
        _signed.WriteOpaque(_groupId);
        _signed.WriteUInt64(_epoch);
        _signed.WriteByte((byte)contentType);
        var senderDataAad = EnvelopeBytes.._signed.WrittenSpan.Length;
        _signed.WriteOpaque(authenticatedData);
        var contentAad = EnvelopeBytes.._signed.WrittenSpan.Length;
        var encryptedSenderData = AppendOpaque(SenderData.SizeBytes + _suite.TagSize);
        var ciphertext = AppendOpaque(plaintext.Length + _suite.TagSize);
        if (_signed.WrittenSpan.Length > MlsLimits.MessageBytes)
        {
            throw new ArgumentException($"A message has at most {MlsLimits.MessageBytes} bytes.", nameof(authenticatedData));
        }

        Span<byte> guard = stackalloc byte[ReuseGuardBytes];
        random(guard);
        Span<byte> key = stackalloc byte[_suite.KeySize];
        Span<byte> nonce = stackalloc byte[_suite.NonceSize];
        var generation = _ratchets.NextKey(_self.Index, contentType, key, nonce);
        var senderData = new SenderData(_self.Index, generation, BinaryPrimitives.ReadUInt32BigEndian(guard));
        senderData.GuardNonce(nonce);

        var message = _signed.ToArray();
        var bytes = message.AsSpan();
        _suite.Seal(key, nonce, bytes[contentAad], plaintext, bytes[ciphertext]);
        CryptographicOperations.ZeroMemory(key);
        senderData.Seal(
            _suite, _secrets.SenderDataSecret, bytes[ciphertext], bytes[senderDataAad], bytes[encryptedSenderData]);
        return message;
    }

    /// <summary>Room for <c>opaque value&lt;V&gt;</c> in the message.</summary>
    /// <returns>Where the value lies.</returns>
    private Range AppendOpaque(int length)
    {
        _signed.WriteLength(length);
        var start = _signed.WrittenSpan.Length;
        _signed.Append(length);
        return start..(start + length);
    }

    private MlsRejection Open(
        ReadOnlySpan<byte> message, FindSignatureKey findKey, out AuthenticatedContent? content, out MessageKeyId id)
    {
        content = null;
        id = default;
        var reader = new TlsReader(message);
        if (MlsMessage.ReadWireFormat(ref reader) != WireFormat.PrivateMessage)
        {
            reader.Fail(MlsRejection.WrongKind);
        }

        var groupId = reader.ReadOpaqueSpan();
        var epoch = reader.ReadUInt64();
        var contentType = PrivateMessage.ReadContentType(ref reader);
        var senderDataAadEnd = reader.Position;
        var authenticatedData = reader.ReadOpaqueSpan();
        var contentAadEnd = reader.Position;
        var encryptedSenderData = reader.ReadOpaqueSpan();
        var ciphertext = reader.ReadOpaqueSpan();
        reader.End();
        var rejection = reader.Rejection != MlsRejection.None ? reader.Rejection : CheckEpoch(groupId, epoch);
        if (rejection != MlsRejection.None)
        {
            return rejection;
        }

        if (!SenderData.TryOpen(
            _suite, _secrets.SenderDataSecret, ciphertext, message[EnvelopeBytes..senderDataAadEnd], encryptedSenderData,
            out var senderData))
        {
            return MlsRejection.SenderDataInvalid;
        }

        // Section 6.3.2: the leaf must be somebody's, which the tree of secrets could not tell.
        if (findKey(SenderType.Member, senderData.Leaf) is null)
        {
            return MlsRejection.LeafUnknown;
        }

        id = new MessageKeyId(senderData.Leaf, contentType, senderData.Generation);
        rejection = Decrypt(id, senderData, message[EnvelopeBytes..contentAadEnd], ciphertext);
        if (rejection != MlsRejection.None)
        {
            return rejection;
        }

        rejection = ReadPlaintext(id, authenticatedData, out var opened);
        if (rejection != MlsRejection.None)
        {
            return rejection;
        }

        AuthenticatedContent.WriteToBeSigned(_signed, WireFormat.PrivateMessage, opened!.Content, _groupContext);
        rejection = CheckSignature(opened.Content, opened.Signature, _signed.WrittenSpan, findKey);
        content = rejection == MlsRejection.None ? opened : null;
        return rejection;
    }

    /// <summary>Decrypts into <see cref="_plaintext"/>.</summary>
    private MlsRejection Decrypt(
        MessageKeyId id, SenderData senderData, ReadOnlySpan<byte> associatedData, ReadOnlySpan<byte> ciphertext)
    {
        if (ciphertext.Length < _suite.TagSize)
        {
            return MlsRejection.CiphertextInvalid;
        }

        Span<byte> key = stackalloc byte[_suite.KeySize];
        Span<byte> nonce = stackalloc byte[_suite.NonceSize];
        if (!_ratchets.TryKey(id, key, nonce, out var rejection))
        {
            return id.Leaf == _self.Index && rejection is MlsRejection.GenerationUsed or MlsRejection.GenerationTooOld
                ? MlsRejection.OwnMessage
                : rejection;
        }

        senderData.GuardNonce(nonce);
        var opened = _suite.TryOpen(
            key, nonce, associatedData, ciphertext, _plaintext.Append(ciphertext.Length - _suite.TagSize));
        CryptographicOperations.ZeroMemory(key);
        return opened ? MlsRejection.None : MlsRejection.CiphertextInvalid;
    }

    /// <summary>Reads the PrivateMessageContent in <see cref="_plaintext"/>; its padding must be zeros to the end.</summary>
    private MlsRejection ReadPlaintext(
        MessageKeyId id, ReadOnlySpan<byte> authenticatedData, out AuthenticatedContent? content)
    {
        var reader = new TlsReader(_plaintext.WrittenSpan);
        var framed = FramedContent.ReadBody(
            ref reader, _groupId, _epoch, new Sender { Type = SenderType.Member, Index = id.Leaf },
            authenticatedData.ToArray(), id.ContentType);
        content = new AuthenticatedContent
        {
            WireFormat = WireFormat.PrivateMessage,
            Content = framed,
            Signature = reader.ReadOpaque(),
            ConfirmationTag = id.ContentType == ContentType.Commit ? reader.ReadOpaque() : null,
        };
        if (reader.ReadRest().ContainsAnyExcept((byte)0))
        {
            reader.Fail(MlsRejection.PaddingInvalid);
        }

        return reader.Rejection;
    }
}
