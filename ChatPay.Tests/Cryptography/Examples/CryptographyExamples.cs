using System.Security.Cryptography;
using System.Text;
using ChatPay.Core.Cryptography;
using Xunit;

namespace ChatPay.Tests.Cryptography;

/// <summary>How each kind of algorithm is used, from a new key to the outcome.</summary>
public sealed class CryptographyExamples
{
    [Fact]
    public void Sign_and_verify()
    {
        var algorithm = SignatureAlgorithm.Ed25519;

        // A new key is random bytes that the caller brings and then wipes.
        var seed = RandomNumberGenerator.GetBytes(algorithm.PrivateKeySize);
        using var key = Key.Import(algorithm, seed, KeyBlobFormat.RawPrivateKey);
        CryptographicOperations.ZeroMemory(seed);

        var data = "Use the force, Luke!"u8;
        var signature = algorithm.Sign(key, data);

        // The other side has only the public key, as bytes from outside.
        var published = key.PublicKey.Export(KeyBlobFormat.RawPublicKey);
        Assert.True(PublicKey.TryImport(algorithm, published, KeyBlobFormat.RawPublicKey, out var publicKey));
        Assert.True(algorithm.Verify(publicKey, data, signature));
    }

    [Fact]
    public void Encrypt_and_decrypt()
    {
        var algorithm = AeadAlgorithm.ChaCha20Poly1305;
        using var key = Key.Import(
            algorithm, RandomNumberGenerator.GetBytes(algorithm.KeySize), KeyBlobFormat.RawSymmetricKey);

        // A nonce serves once with its key; a counter is the surest way.
        var nonce = new byte[algorithm.NonceSize];
        var header = "to: Leia"u8;
        var ciphertext = algorithm.Encrypt(key, nonce, header, "Help me"u8);

        Assert.Equal("Help me", Encoding.UTF8.GetString(algorithm.Decrypt(key, nonce, header, ciphertext)!));
        Assert.Null(algorithm.Decrypt(key, nonce, "to: Vader"u8, ciphertext));
    }

    [Fact]
    public void Agree_on_a_secret_and_derive_a_key()
    {
        var agreement = KeyAgreementAlgorithm.X25519;
        using var mine = Key.Import(agreement, RandomNumberGenerator.GetBytes(32), KeyBlobFormat.RawPrivateKey);
        using var yours = Key.Import(agreement, RandomNumberGenerator.GetBytes(32), KeyBlobFormat.RawPrivateKey);

        // What two parties agree on is not uniformly random, so a key is derived from it.
        using var mySecret = agreement.Agree(mine, yours.PublicKey);
        using var yourSecret = agreement.Agree(yours, mine.PublicKey);
        var myKey = new byte[32];
        var yourKey = new byte[32];
        KeyDerivationAlgorithm.HkdfSha256.DeriveBytes(mySecret!, [], "example"u8, myKey);
        KeyDerivationAlgorithm.HkdfSha256.DeriveBytes(yourSecret!, [], "example"u8, yourKey);

        Assert.Equal(myKey, yourKey);
    }

    [Fact]
    public void Derive_a_key_from_a_password()
    {
        var algorithm = new Argon2id(new Argon2Parameters(DegreeOfParallelism: 1, MemorySize: 64, NumberOfPasses: 3));
        var salt = RandomNumberGenerator.GetBytes(Argon2id.SaltSize);
        var key = new byte[32];

        algorithm.DeriveBytes("correct horse battery staple"u8, salt, key);

        Assert.NotEqual(new byte[32], key);
    }

    [Fact]
    public void Have_a_secret_function_computed_without_showing_its_input()
    {
        // The server has a secret number; the client wants its input's element times that number.
        var serverKey = NewScalar();
        var element = new byte[Ristretto255.ElementSize];
        Ristretto255.MapToElement(SHA512.HashData("input"u8), element);

        // The client blinds the element, so that the server sees a random one.
        var blind = NewScalar();
        var blinded = new byte[Ristretto255.ElementSize];
        Assert.True(Ristretto255.TryMultiply(blind, element, blinded));

        // The server multiplies what it got, if it is an element at all.
        var evaluated = new byte[Ristretto255.ElementSize];
        Assert.True(Ristretto255.TryMultiply(serverKey, blinded, evaluated));

        // The client takes the blind away.
        var unblind = new byte[Ristretto255.ScalarSize];
        var outcome = new byte[Ristretto255.ElementSize];
        Assert.True(Ristretto255.TryInvertScalar(blind, unblind));
        Assert.True(Ristretto255.TryMultiply(unblind, evaluated, outcome));

        var expected = new byte[Ristretto255.ElementSize];
        Assert.True(Ristretto255.TryMultiply(serverKey, element, expected));
        Assert.Equal(expected, outcome);
    }

    private static byte[] NewScalar()
    {
        var scalar = new byte[Ristretto255.ScalarSize];
        Ristretto255.ReduceToScalar(RandomNumberGenerator.GetBytes(Ristretto255.UniformSize), scalar);
        return scalar;
    }
}
