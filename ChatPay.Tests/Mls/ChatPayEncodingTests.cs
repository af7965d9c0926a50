using ChatPay.Core.Mls;
using ChatPay.Core.Protocol;
using Xunit;

namespace ChatPay.Tests.Mls;

/// <summary>The encodings of docs/PROTOCOL.md that are ChatPay's own, byte by byte.</summary>
public sealed class ChatPayEncodingTests
{
    private const string First = "00112233-4455-6677-8899-aabbccddeeff";
    private const string FirstHex = "00112233445566778899aabbccddeeff";
    private const string Second = "01890000-0000-7000-8000-0000000000fe";
    private const string SecondHex = "018900000000700080000000000000fe";

    [Fact]
    public void A_group_id_is_the_conversations_id_in_network_order()
    {
        Assert.Equal(FirstHex, Convert.ToHexStringLower(GroupIds.From(new(new Guid(First)))));
        Assert.True(GroupIds.TryRead(Convert.FromHexString(FirstHex), out var conversation));
        Assert.Equal(new Guid(First), conversation.Value);
        Assert.False(GroupIds.TryRead(new byte[15], out _));
    }

    [Fact]
    public void An_identity_is_account_then_device()
    {
        var identity = new CredentialIdentity(new(new Guid(First)), new(new Guid(Second)));

        Assert.Equal(FirstHex + SecondHex, Convert.ToHexStringLower(identity.ToBytes()));
        Assert.True(CredentialIdentity.TryRead(identity.ToBytes(), out var read));
        Assert.Equal(identity, read);
        Assert.False(CredentialIdentity.TryRead(new byte[33], out _));
        Assert.False(CredentialIdentity.TryRead(new X509Credential { Certificates = [] }, out _));
    }

    [Fact]
    public void Authenticated_data_of_a_text_is_its_client_id()
    {
        var data = new AuthenticatedData(new ClientMessageId(new Guid(First)));

        Assert.Equal("01" + FirstHex, Convert.ToHexStringLower(data.Encode()));
        Assert.True(AuthenticatedData.TryDecode(data.Encode(), out var read));
        Assert.Equal(data, read);
    }

    [Fact]
    public void Authenticated_data_of_a_card_adds_its_id_and_commitment()
    {
        var commit = Enumerable.Repeat((byte)7, 32).ToArray();
        var data = new AuthenticatedData(new(new Guid(First)), new CardBinding(new(new Guid(Second)), commit));

        Assert.Equal(
            "02" + FirstHex + SecondHex + Convert.ToHexStringLower(commit), Convert.ToHexStringLower(data.Encode()));
        Assert.True(AuthenticatedData.TryDecode(data.Encode(), out var read));
        Assert.Equal(data.ClientId, read.ClientId);
        Assert.Equal(data.Card!.Card, read.Card!.Card);
        Assert.Equal(commit, read.Card.DetailCommit);
    }

    [Theory]
    [InlineData("")]
    [InlineData("01")]
    [InlineData("01" + FirstHex + "00")]
    [InlineData("02" + FirstHex)]
    [InlineData("02" + FirstHex + SecondHex)]
    [InlineData("03" + FirstHex)]
    public void Other_authenticated_data_is_refused(string hex)
    {
        Assert.False(AuthenticatedData.TryDecode(Convert.FromHexString(hex), out var read));
        Assert.Null(read);
    }
}
