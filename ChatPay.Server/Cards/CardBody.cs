using System.Security.Cryptography;
using ChatPay.Core.Mls;
using ChatPay.Core.Protocol;

namespace ChatPay.Server.Cards;

/// <summary>What the server can check of the encrypted message that shows a card: what it is bound to.</summary>
internal static class CardBody
{
    public static bool Binds(
        PrivateMessageHeader header, ClientMessageId clientId, CardId card, ReadOnlySpan<byte> detailCommit) =>
        AuthenticatedData.TryDecode(header.AuthenticatedData, out var data)
        && data.ClientId == clientId
        && data.Card is { } binding
        && binding.Card == card
        && CryptographicOperations.FixedTimeEquals(binding.DetailCommit, detailCommit);
}
