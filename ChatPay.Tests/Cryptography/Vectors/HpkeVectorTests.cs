using ChatPay.Core.Cryptography;
using Xunit;

namespace ChatPay.Tests.Cryptography;

/// <summary>
/// HPKE against RFC 9180, appendices A.1.1 and A.2.1. Of their encryptions the first is the one that a context for a single
/// message makes.
/// </summary>
public sealed class HpkeVectorTests
{
    private const string Info = "4f6465206f6e2061204772656369616e2055726e";
    private const string Plaintext = "4265617574792069732074727574682c20747275746820626561757479";
    private const string AssociatedData = "436f756e742d30";
    private const string ExporterContext = "54657374436f6e74657874";

    private static readonly Vector s_aes128Gcm = new(
        IkmE: "7268600d403fce431561aef583ee1613527cff655c1343f29812e66706df3234",
        SkEm: "52c4a758a802cd8b936eceea314432798d5baf2d7e9235dc084ab1b9cfa2f736",
        Enc: "37fda3567bdbd628e88668c3c8d7e97d1d1253b6d4ea6d44c150f741f1bf4431",
        IkmR: "6db9df30aa07dd42ee5e8181afdb977e538f5e1fec8a06223f33f7013e525037",
        SkRm: "4612c550263fc8ad58375df3f557aac531d26850903e55a9f23f21d8534e8ac8",
        PkRm: "3948cfe0ad1ddb695d780e59077195da6c56506b027329794ab02bca80815c4d",
        Ciphertext: "f938558b5d72f1a23810b4be2ab4f84331acc02fc97babc53a52ae8218a355a96d8770ac83d07bea87e13c512a",
        Exported: "3853fe2b4035195a573ffc53856e77058e15d9ea064de3e59f4961d0095250ee",
        ExportedInContext: "e9e43065102c3836401bed8c3c3c75ae46be1639869391d62c61f1ec7af54931");

    private static readonly Vector s_chaCha20Poly1305 = new(
        IkmE: "909a9b35d3dc4713a5e72a4da274b55d3d3821a37e5d099e74a647db583a904b",
        SkEm: "f4ec9b33b792c372c1d2c2063507b684ef925b8c75a42dbcbf57d63ccd381600",
        Enc: "1afa08d3dec047a643885163f1180476fa7ddb54c6a8029ea33f95796bf2ac4a",
        IkmR: "1ac01f181fdf9f352797655161c58b75c656a6cc2716dcb66372da835542e1df",
        SkRm: "8057991eef8f1f1af18f4a9491d16a1ce333f695d4db8e38da75975c4478e0fb",
        PkRm: "4310ee97d88cc1f088a5576c77ab0cf5c3ac797f3d95139c6c84b5429c59662a",
        Ciphertext: "1c5250d8034ec2b784ba2cfd69dbdb8af406cfe3ff938e131f0def8c8b60b4db21993c62ce81883d2dd1b51a28",
        Exported: "4bbd6243b8bb54cec311fac9df81841b6fd61f56538a775e7c80a9f40160606e",
        ExportedInContext: "5acb09211139c43b3090489a9da433e8a30ee7188ba8b0a9a1ccf0c229283e53");

    [Fact]
    public void Sealed_with_aes_128_gcm_it_comes_out_as_published() => Check(Hpke.X25519Aes128Gcm, s_aes128Gcm);

    [Fact]
    public void Sealed_with_chacha20_poly1305_it_comes_out_as_published() =>
        Check(Hpke.X25519ChaCha20Poly1305, s_chaCha20Poly1305);

    private static void Check(Hpke hpke, Vector vector)
    {
        CheckKeys(hpke, vector);
        CheckMessage(hpke, vector);
        CheckExport(hpke, vector, "", vector.Exported);
        CheckExport(hpke, vector, ExporterContext, vector.ExportedInContext);
    }

    private static void CheckKeys(Hpke hpke, Vector vector)
    {
        var privateKey = new byte[Hpke.PrivateKeySize];
        var publicKey = new byte[Hpke.PublicKeySize];
        hpke.DeriveKeyPair(Bytes(vector.IkmR), privateKey, publicKey);
        Assert.Equal(Bytes(vector.SkRm), privateKey);
        Assert.Equal(Bytes(vector.PkRm), publicKey);

        hpke.DeriveKeyPair(Bytes(vector.IkmE), privateKey, publicKey);
        Assert.Equal(Bytes(vector.SkEm), privateKey);
        Assert.Equal(Bytes(vector.Enc), publicKey);
    }

    private static void CheckMessage(Hpke hpke, Vector vector)
    {
        var expected = Bytes(vector.Ciphertext);
        var ciphertext = new byte[expected.Length];
        var encapsulated = new byte[Hpke.EncapsulatedKeySize];
        Assert.True(hpke.TrySeal(
            Bytes(vector.PkRm), Bytes(Info), Bytes(AssociatedData), Bytes(Plaintext), EphemeralOf(vector),
            encapsulated, ciphertext));
        Assert.Equal(Bytes(vector.Enc), encapsulated);
        Assert.Equal(expected, ciphertext);

        var plaintext = new byte[expected.Length - hpke.TagSize];
        Assert.True(hpke.TryOpen(
            Bytes(vector.SkRm), Bytes(vector.PkRm), encapsulated, Bytes(Info), Bytes(AssociatedData), ciphertext, plaintext));
        Assert.Equal(Bytes(Plaintext), plaintext);
    }

    private static void CheckExport(Hpke hpke, Vector vector, string context, string expected)
    {
        var exported = new byte[32];
        var encapsulated = new byte[Hpke.EncapsulatedKeySize];
        Assert.True(hpke.TrySendExport(
            Bytes(vector.PkRm), Bytes(Info), Bytes(context), EphemeralOf(vector), encapsulated, exported));
        Assert.Equal(Bytes(vector.Enc), encapsulated);
        Assert.Equal(Bytes(expected), exported);

        exported.AsSpan().Clear();
        Assert.True(hpke.TryReceiveExport(
            Bytes(vector.SkRm), Bytes(vector.PkRm), encapsulated, Bytes(Info), Bytes(context), exported));
        Assert.Equal(Bytes(expected), exported);
    }

    /// <summary>Gives as random what the standard's authors drew.</summary>
    private static FillRandom EphemeralOf(Vector vector) => Bytes(vector.SkEm).CopyTo;

    private static byte[] Bytes(string hex) => Convert.FromHexString(hex);

    /// <summary>In the standard's own names; ExportedInContext is exported in the context "TestContext".</summary>
    private sealed record Vector(
        string IkmE, string SkEm, string Enc, string IkmR, string SkRm, string PkRm, string Ciphertext, string Exported,
        string ExportedInContext);
}
