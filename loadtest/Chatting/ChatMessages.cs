using ChatPay.Core.Mls;
using ChatPay.Core.Protocol;

namespace ChatPay.LoadTest.Chatting;

/// <summary>Makes what a carrier takes for encrypted messages: right in what it can see, empty in what it cannot.</summary>
internal static class ChatMessages
{
    private const int SenderDataBytes = 28;

    /// <summary>A whole MLSMessage of so many bytes.</summary>
    public static byte[] Create(ConversationId conversation, ClientMessageId clientId, int bytes)
    {
        byte[] WithCiphertext(int count) => Create(conversation, new(clientId), new byte[count]);

        // The length of the ciphertext's length grows with it, so a few sizes cannot be made; the next one can.
        var body = WithCiphertext(Math.Max(1, bytes - WithCiphertext(0).Length));
        for (var count = Math.Max(1, bytes - WithCiphertext(0).Length - 4); body.Length != bytes; count++)
        {
            body = WithCiphertext(count);
            if (body.Length > bytes)
            {
                break;
            }
        }

        return body;
    }

    /// <summary>A whole MLSMessage with this data in the clear.</summary>
    public static byte[] Create(
        ConversationId conversation, AuthenticatedData data, byte[] ciphertext, long epoch = ChatPeople.Epoch) =>
        TlsCodec.Encode(new MlsMessage(new PrivateMessage
        {
            GroupId = GroupIds.From(conversation),
            Epoch = (ulong)epoch,
            ContentType = ContentType.Application,
            AuthenticatedData = data.Encode(),
            EncryptedSenderData = new byte[SenderDataBytes],
            Ciphertext = ciphertext,
        }));
}
