using ChatPay.Core.Cards;
using ChatPay.Core.Cryptography;
using ChatPay.Core.Ledger;
using ChatPay.Core.Protocol;
using Xunit;

namespace ChatPay.Tests.Cards;

/// <summary>What a payer's device signs: docs/PROTOCOL.md's example, and that nothing else passes for it.</summary>
public sealed class DebitStatementTests
{
    private static readonly CardTerms s_terms = new(
        CardKind.Transfer, new(Id(1)), new(Id(2)), new(Id(3)), new(Id(4)), Money.Of(1234, AssetCode.Parse("EUR")), 86_400);

    private static readonly DebitStatement s_statement = new(
        s_terms, Convert.FromHexString("470efc0193d3d4a1490fcb0f2cdeff92618880af4d4f363762487325b53fc4a2"),
        CardActionKind.Post, 0, new(Id(3)), 1234, new(Id(5)), Id(6), 1_800_000_000);

    public static TheoryData<string> Fields =>
    [
        "kind", "card", "conversation", "payer of terms", "payee", "amount of terms", "asset", "lifetime", "commitment", "action",
        "version", "payer", "amount", "device", "nonce", "end",
    ];

    [Fact]
    public void It_is_encoded_and_signed_as_the_protocol_shows()
    {
        const string Encoded =
            "63686174706179206465626974207631010190a0000000700080000000000000030190a00000007000800000000000000501"
            + "90a000000070008000000000000006010000000000000000000004d2000000006b49d200470efc0193d3d4a1490fcb0f2cde"
            + "ff92618880af4d4f363762487325b53fc4a2005201010190a0000000700080000000000000010190a0000000700080000000"
            + "000000020190a0000000700080000000000000030190a00000007000800000000000000400000000000004d2000151800345"
            + "5552";
        const string Signature =
            "1cd84a1fc47719655c5d606fa36e3790128ef15e69f78cf78b19481aab04e1e2"
            + "6342ab7dfa7fd864bf3cf72b3d55676c34f2e1dd38c0b634a5cb2c26f0ddf403";
        using var key = SevenKey();
        var authorisation = s_statement.Sign(key);
        Assert.Equal(Encoded, Convert.ToHexStringLower(s_statement.Encode()));
        Assert.Equal(Signature, Convert.ToHexStringLower(authorisation.Signature));
        Assert.Equal(1_800_000_000, authorisation.ExpiresAt);
        Assert.Equal(s_statement, DebitStatement.TryRead(s_statement.Encode(), s_terms, s_statement.DetailCommit));
    }

    [Theory]
    [MemberData(nameof(Fields))]
    public void A_signature_is_for_no_statement_that_differs_in_anything(string field)
    {
        var other = Changed(field);
        using var key = SevenKey();
        var signature = s_statement.Sign(key).Signature;
        Assert.True(s_statement.IsSignedBy(key.PublicKey.Bytes, signature));
        Assert.NotEqual(s_statement.Encode(), other.Encode());
        Assert.False(other.IsSignedBy(key.PublicKey.Bytes, signature));
    }

    [Fact]
    public void What_is_no_statement_of_the_card_is_not_read()
    {
        var encoded = s_statement.Encode();
        for (var length = 0; length < encoded.Length; length++)
        {
            Assert.Null(DebitStatement.TryRead(encoded.AsSpan(0, length), s_terms, s_statement.DetailCommit));
        }

        Assert.Null(DebitStatement.TryRead([.. encoded, 0], s_terms, s_statement.DetailCommit));
        Assert.Null(DebitStatement.TryRead(encoded, s_terms with { Payee = new(Id(9)) }, s_statement.DetailCommit));
        Assert.Null(DebitStatement.TryRead(encoded, s_terms, new byte[32]));
        encoded[16] = 2;
        Assert.Null(DebitStatement.TryRead(encoded, s_terms, s_statement.DetailCommit));
    }

    private static DebitStatement Changed(string field) => field switch
    {
        "kind" => s_statement with { Terms = s_terms with { Kind = CardKind.Request } },
        "card" => s_statement with { Terms = s_terms with { Card = new(Id(9)) } },
        "conversation" => s_statement with { Terms = s_terms with { Conversation = new(Id(9)) } },
        "payer of terms" => s_statement with { Terms = s_terms with { Payer = new(Id(9)) } },
        "payee" => s_statement with { Terms = s_terms with { Payee = new(Id(9)) } },
        "amount of terms" => s_statement with { Terms = s_terms with { Money = Money.Of(1235, s_terms.Money.Asset) } },
        "asset" => s_statement with { Terms = s_terms with { Money = Money.Of(1234, AssetCode.Parse("EUQ")) } },
        "lifetime" => s_statement with { Terms = s_terms with { LifetimeSeconds = 86_401 } },
        "commitment" => s_statement with { DetailCommit = new byte[32] },
        "action" => s_statement with { Action = CardActionKind.Pay },
        "version" => s_statement with { Version = 1 },
        "payer" => s_statement with { Payer = new(Id(9)) },
        "amount" => s_statement with { AmountMinor = 1235 },
        "device" => s_statement with { Device = new(Id(9)) },
        "nonce" => s_statement with { Nonce = Id(9) },
        "end" => s_statement with { ExpiresAt = 1_800_000_001 },
        _ => throw new ArgumentOutOfRangeException(nameof(field)),
    };

    private static Key SevenKey() =>
        Key.Import(SignatureAlgorithm.Ed25519, Enumerable.Repeat((byte)7, 32).ToArray(), KeyBlobFormat.RawPrivateKey);

    private static Guid Id(byte last) => new([1, 0x90, 0xa0, 0, 0, 0, 0x70, 0, 0x80, 0, 0, 0, 0, 0, 0, last], bigEndian: true);
}
