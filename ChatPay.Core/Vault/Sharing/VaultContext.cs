using System.Security.Cryptography;
using ChatPay.Core.Cryptography;
using ChatPay.Core.Protocol;

namespace ChatPay.Core.Vault;

/// <summary>
/// What every value of a registration is bound to: account, registration, realms and the work of the PIN. So nothing
/// made for one serves in another.
/// </summary>
/// <remarks>
/// Its digest is SHA-256 of "chatpay vault v1 context" ‖ account (16) ‖ version (16) ‖ digest of the realms (32) ‖
/// parameters (7).
/// </remarks>
public sealed class VaultContext
{
    private const int IdBytes = 16;

    private readonly byte[] _configurationDigest;
    private readonly byte[] _digest;

    /// <param name="configurationDigest">32 bytes: <see cref="RealmConfiguration.Digest"/>.</param>
    /// <exception cref="ArgumentException">
    /// A digest of another size, parameters out of bounds, or no version.
    /// </exception>
    public VaultContext(
        AccountId user, RegistrationVersion version, ReadOnlySpan<byte> configurationDigest,
        PinHashParameters parameters)
    {
        if (configurationDigest.Length != SHA256.HashSizeInBytes)
        {
            throw new ArgumentException("The realms' digest has 32 bytes.", nameof(configurationDigest));
        }

        if (!parameters.AreValid)
        {
            throw new ArgumentException("The parameters are out of bounds.", nameof(parameters));
        }

        if (version == RegistrationVersion.None)
        {
            throw new ArgumentException("A registration has a version.", nameof(version));
        }

        User = user;
        Version = version;
        Parameters = parameters;
        _configurationDigest = configurationDigest.ToArray();

        Span<byte> room = stackalloc byte[
            Label.Length + (2 * IdBytes) + SHA256.HashSizeInBytes + PinHashParameters.SizeBytes];
        var script = new ByteScript(room);
        script.Add(Label);
        script.Add(user.Value);
        script.Add(version.Value);
        script.Add(configurationDigest);
        parameters.Write(room[^PinHashParameters.SizeBytes..]);
        _digest = SHA256.HashData(room);
    }

    public AccountId User { get; }

    public RegistrationVersion Version { get; }

    public PinHashParameters Parameters { get; }

    public ReadOnlySpan<byte> ConfigurationDigest => _configurationDigest;

    /// <summary>32 bytes.</summary>
    public ReadOnlySpan<byte> Digest => _digest;

    private static ReadOnlySpan<byte> Label => "chatpay vault v1 context"u8;

    private static ReadOnlySpan<byte> SaltLabel => "chatpay vault v1 salt"u8;

    /// <summary>Argon2id's salt: the first 16 bytes of SHA-256 of label and digest.</summary>
    internal void Salt(Span<byte> salt)
    {
        Span<byte> hash = stackalloc byte[SHA256.HashSizeInBytes];
        SHA256.HashData([.. SaltLabel, .. _digest], hash);
        hash[..Argon2id.SaltSize].CopyTo(salt);
    }
}
