using System.Buffers.Binary;
using System.Buffers.Text;
using System.Security.Cryptography;
using ChatPay.Core.Cryptography;
using ChatPay.Core.Protocol;
using ChatPay.Core.Vault;
using ChatPay.Server.Hosting;

namespace ChatPay.Server.Vault;

/// <summary>
/// What lets one device in at one realm for some minutes: version (1) ‖ key id (8) ‖ account (16) ‖ device (16) ‖
/// realm (16) ‖ issued (8) ‖ expires (8) ‖ account identity key (32; zeros where it is not known) ‖ signature (64), as
/// base64url without padding. Times are seconds since 1970; the key id is the beginning of SHA-256 of the signer's
/// public key. Account and device are zeros for the server itself. The server signs, with Ed25519,
/// "chatpay realm token v1" ‖ everything before the signature. 169 bytes.
/// </summary>
internal sealed record RealmToken(
    Caller Caller, RealmId Realm, DateTimeOffset IssuedAt, DateTimeOffset ExpiresAt, byte[]? IdentityKey)
{
    public const int KeyBytes = 32;

    /// <summary>No realm believes a longer one, whoever signed it.</summary>
    public static readonly TimeSpan LifetimeMax = TimeSpan.FromHours(1);

    /// <summary>How far two machines' clocks may be apart.</summary>
    private static readonly TimeSpan s_clockSkew = TimeSpan.FromMinutes(1);

    private const byte Version = 1;
    private const int IdBytes = 16;
    private const int KeyIdBytes = 8;
    private const int SignatureBytes = 64;
    private const int AccountAt = 1 + KeyIdBytes;
    private const int DeviceAt = AccountAt + IdBytes;
    private const int RealmAt = DeviceAt + IdBytes;
    private const int IssuedAtAt = RealmAt + IdBytes;
    private const int ExpiresAtAt = IssuedAtAt + sizeof(long);
    private const int IdentityAt = ExpiresAtAt + sizeof(long);
    private const int SignatureAt = IdentityAt + KeyBytes;
    private const int SizeBytes = SignatureAt + SignatureBytes;

    private static ReadOnlySpan<byte> Label => "chatpay realm token v1"u8;

    public string Sign(Key key)
    {
        ArgumentNullException.ThrowIfNull(key);
        var bytes = new byte[SizeBytes];
        bytes[0] = Version;
        KeyIdOf(key.PublicKey).CopyTo(bytes.AsSpan(1));
        Caller.Account.Value.TryWriteBytes(bytes.AsSpan(AccountAt), bigEndian: true, out _);
        Caller.Device.Value.TryWriteBytes(bytes.AsSpan(DeviceAt), bigEndian: true, out _);
        Realm.Value.TryWriteBytes(bytes.AsSpan(RealmAt), bigEndian: true, out _);
        BinaryPrimitives.WriteInt64BigEndian(bytes.AsSpan(IssuedAtAt), IssuedAt.ToUnixTimeSeconds());
        BinaryPrimitives.WriteInt64BigEndian(bytes.AsSpan(ExpiresAtAt), ExpiresAt.ToUnixTimeSeconds());
        IdentityKey?.CopyTo(bytes, IdentityAt);
        SignatureAlgorithm.Ed25519.Sign(
            key, [.. Label, .. bytes.AsSpan(0, SignatureAt)], bytes.AsSpan(SignatureAt));
        return Base64Url.EncodeToString(bytes);
    }

    /// <summary>Reads a token and checks it for a realm.</summary>
    public static Result<RealmToken> Read(string text, PublicKey signer, RealmId self, DateTimeOffset now)
    {
        ArgumentNullException.ThrowIfNull(signer);
        Span<byte> bytes = stackalloc byte[SizeBytes];
        if (text.Length != Base64Url.GetEncodedLength(SizeBytes) || !Base64Url.IsValid(text, out var decoded)
            || decoded != SizeBytes || !Base64Url.TryDecodeFromChars(text, bytes, out _) || bytes[0] != Version)
        {
            return new Error(ErrorCode.RealmTokenInvalid, "This is no token that a realm understands.");
        }

        if (!bytes.Slice(1, KeyIdBytes).SequenceEqual(KeyIdOf(signer)))
        {
            return new Error(
                ErrorCode.RealmTokenSigner, "The token is not of the server that this realm belongs to.");
        }

        if (!SignatureAlgorithm.Ed25519.Verify(signer, [.. Label, .. bytes[..SignatureAt]], bytes[SignatureAt..]))
        {
            return new Error(ErrorCode.RealmTokenInvalid, "The token was altered, or signed with another key.");
        }

        if (IdAt(bytes, RealmAt) != self.Value)
        {
            return new Error(ErrorCode.RealmTokenAudience, "The token is for another realm.");
        }

        var issued = BinaryPrimitives.ReadInt64BigEndian(bytes[IssuedAtAt..]);
        var expires = BinaryPrimitives.ReadInt64BigEndian(bytes[ExpiresAtAt..]);
        var seconds = now.ToUnixTimeSeconds();
        if (seconds >= expires || issued > seconds + s_clockSkew.TotalSeconds
            || expires - issued > LifetimeMax.TotalSeconds)
        {
            return new Error(ErrorCode.RealmTokenExpired, "The token holds no longer, or not yet; ask for another.");
        }

        var identity = bytes.Slice(IdentityAt, KeyBytes);
        return new RealmToken(
            new Caller(new AccountId(IdAt(bytes, AccountAt)), new DeviceId(IdAt(bytes, DeviceAt))), self,
            DateTimeOffset.FromUnixTimeSeconds(issued), DateTimeOffset.FromUnixTimeSeconds(expires),
            identity.ContainsAnyExcept((byte)0) ? identity.ToArray() : null);
    }

    private static byte[] KeyIdOf(PublicKey key) =>
        SHA256.HashData(key.Export(KeyBlobFormat.RawPublicKey))[..KeyIdBytes];

    private static Guid IdAt(ReadOnlySpan<byte> bytes, int at) => new(bytes.Slice(at, IdBytes), bigEndian: true);
}
