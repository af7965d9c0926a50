using System.Buffers.Binary;
using System.Diagnostics.CodeAnalysis;
using ChatPay.Core.Cryptography;
using ChatPay.Core.Protocol;

namespace ChatPay.Core.Vault;

/// <summary>
/// What a realm keeps of one account's registration, as the bytes that are sealed: version of the layout (1), account
/// (16), registration (16), digest of the realms (32), parameters (7), realm (16), index (1), verifying key (32),
/// certificate (64), key share (32), public key share (32), unlock commitment (32), unlock tag (32), root share (32),
/// encrypted root (48), share commitment (32), most guesses (2), account identity key (32): 459 bytes. Zeroed when
/// disposed.
/// </summary>
public sealed class RealmRecord : IDisposable
{
    private const byte LayoutVersion = 1;
    private const int IdBytes = 16;
    private const int DigestBytes = 32;

    private static readonly VaultField s_user = new(1, IdBytes);
    private static readonly VaultField s_version = s_user.Then(IdBytes);
    private static readonly VaultField s_configuration = s_version.Then(DigestBytes);
    private static readonly VaultField s_parameters = s_configuration.Then(PinHashParameters.SizeBytes);
    private static readonly VaultField s_realm = s_parameters.Then(IdBytes);
    private static readonly VaultField s_index = s_realm.Then(1);
    private static readonly VaultField s_verifyingKey = s_index.Then(ShareCertificate.VerifyingKeySize);
    private static readonly VaultField s_certificate = s_verifyingKey.Then(ShareCertificate.SignatureSize);
    private static readonly VaultField s_keyShare = s_certificate.Then(Ristretto255.ScalarSize);
    private static readonly VaultField s_publicShare = s_keyShare.Then(Ristretto255.ElementSize);
    private static readonly VaultField s_unlockCommitment = s_publicShare.Then(ShareCertificate.CommitmentSize);
    private static readonly VaultField s_unlockTag = s_unlockCommitment.Then(UnlockKey.TagSize);
    private static readonly VaultField s_rootShare = s_unlockTag.Then(Ristretto255.ScalarSize);
    private static readonly VaultField s_encryptedRoot = s_rootShare.Then(StretchedPin.EncryptedRootSize);
    private static readonly VaultField s_shareCommitment = s_encryptedRoot.Then(UnlockKey.CommitmentSize);
    private static readonly VaultField s_maxGuesses = s_shareCommitment.Then(sizeof(ushort));
    private static readonly VaultField s_identityKey = s_maxGuesses.Then(IdentityStatement.KeySize);

    private readonly Secret _bytes;

    private RealmRecord(Secret bytes) => _bytes = bytes;

    public static int SizeBytes => s_identityKey.End;

    public AccountId User => new(new Guid(Read(s_user), bigEndian: true));

    public RegistrationVersion Version => new(new Guid(Read(s_version), bigEndian: true));

    public RealmId Realm => new(new Guid(Read(s_realm), bigEndian: true));

    public int Index => Read(s_index)[0];

    /// <summary>How many guesses may be counted before the record is destroyed.</summary>
    public int MaxGuesses => BinaryPrimitives.ReadUInt16BigEndian(Read(s_maxGuesses));

    internal ReadOnlySpan<byte> Encoding => _bytes.Span;

    internal ReadOnlySpan<byte> VerifyingKey => Read(s_verifyingKey);

    internal ReadOnlySpan<byte> Certificate => Read(s_certificate);

    internal ReadOnlySpan<byte> KeyShare => Read(s_keyShare);

    internal ReadOnlySpan<byte> PublicShare => Read(s_publicShare);

    internal ReadOnlySpan<byte> UnlockCommitment => Read(s_unlockCommitment);

    internal ReadOnlySpan<byte> UnlockTag => Read(s_unlockTag);

    internal ReadOnlySpan<byte> RootShare => Read(s_rootShare);

    internal ReadOnlySpan<byte> EncryptedRoot => Read(s_encryptedRoot);

    internal ReadOnlySpan<byte> ShareCommitment => Read(s_shareCommitment);

    internal ReadOnlySpan<byte> IdentityKey => Read(s_identityKey);

    public void Dispose() => _bytes.Dispose();

    internal static RealmRecord From(Register2Request request, ReadOnlySpan<byte> publicShare)
    {
        var bytes = new Secret(SizeBytes);
        bytes.Span[0] = LayoutVersion;
        var script = new ByteScript(bytes.Span[1..]);
        script.Add(request.User.Value);
        script.Add(request.Version.Value);
        script.Add(request.ConfigurationDigest);
        script.Add(request.ParameterBytes);
        script.Add(request.Realm.Value);
        script.Add((byte)request.Index);
        script.Add(request.VerifyingKey);
        script.Add(request.Certificate);
        script.Add(request.KeyShare);
        script.Add(publicShare);
        script.Add(request.UnlockCommitment);
        script.Add(request.UnlockTag);
        script.Add(request.RootShare);
        script.Add(request.EncryptedRoot);
        script.Add(request.ShareCommitment);
        script.AddUInt16((ushort)request.MaxGuesses);
        script.Add(request.IdentityKey);
        return new RealmRecord(bytes);
    }

    /// <summary>Takes the opened bytes of a row over, or disposes of them.</summary>
    internal static bool TryTake(Secret bytes, [NotNullWhen(true)] out RealmRecord? record)
    {
        record = bytes.Size == SizeBytes && bytes.Span[0] == LayoutVersion ? new RealmRecord(bytes) : null;
        if (record is null)
        {
            bytes.Dispose();
        }

        return record is not null;
    }

    internal VaultContext Context() => new(
        User, Version, Read(s_configuration),
        PinHashParameters.TryRead(Read(s_parameters), out var parameters) ? parameters : default);

    private ReadOnlySpan<byte> Read(VaultField field) => field.In((ReadOnlySpan<byte>)_bytes.Span);
}
