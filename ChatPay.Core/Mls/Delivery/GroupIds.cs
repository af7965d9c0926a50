using ChatPay.Core.Protocol;

namespace ChatPay.Core.Mls;

/// <summary>A ChatPay group's MLS group id is its conversation id: 16 bytes, network order.</summary>
public static class GroupIds
{
    private const int SizeBytes = 16;

    public static byte[] From(ConversationId conversation) => conversation.Value.ToByteArray(bigEndian: true);

    public static bool TryRead(ReadOnlySpan<byte> groupId, out ConversationId conversation)
    {
        var isOne = groupId.Length == SizeBytes;
        conversation = isOne ? new ConversationId(new Guid(groupId, bigEndian: true)) : default;
        return isOne;
    }
}
