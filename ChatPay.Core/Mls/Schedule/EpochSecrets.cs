using System.Text;
using ChatPay.Core.Cryptography;

namespace ChatPay.Core.Mls;

/// <summary>
/// The secrets of one epoch, RFC 9420 section 8. They lie one after the other in one piece of memory, zeroed on disposal.
/// </summary>
/// <remarks>
/// What section 9.2 calls consumed is not kept: commit, joiner, member and epoch secret live only while they are derived
/// from, and the encryption secret goes to the secret tree.
/// </remarks>
internal sealed class EpochSecrets : IDisposable
{
    private const int EncryptionPlace = 1;

    /// <summary>Section 8, table 4, and the init secret last.</summary>
    private static readonly string[] s_labels =
    [
        "sender data", "encryption", "exporter", "external", "confirm", "membership", "resumption", "authentication", "init",
    ];

    private readonly MlsCipherSuite _suite;
    private readonly Secret _secrets;
    private bool _encryptionTaken;

    private EpochSecrets(MlsCipherSuite suite)
    {
        _suite = suite;
        _secrets = new Secret(s_labels.Length * suite.HashSize);
    }

    public ReadOnlySpan<byte> SenderDataSecret => At(0);

    /// <exception cref="InvalidOperationException">The secret tree has it.</exception>
    public ReadOnlySpan<byte> EncryptionSecret => _encryptionTaken
        ? throw new InvalidOperationException("The encryption secret has gone to the secret tree.")
        : At(EncryptionPlace);

    public ReadOnlySpan<byte> ExporterSecret => At(2);

    public ReadOnlySpan<byte> ExternalSecret => At(3);

    public ReadOnlySpan<byte> ConfirmationKey => At(4);

    public ReadOnlySpan<byte> MembershipKey => At(5);

    public ReadOnlySpan<byte> ResumptionPsk => At(6);

    /// <summary>Not secret: members compare it to know that they see the same group, section 8.7.</summary>
    public ReadOnlySpan<byte> EpochAuthenticator => At(7);

    /// <summary>What the next epoch is derived from.</summary>
    public ReadOnlySpan<byte> InitSecret => At(8);

    /// <summary>The joiner secret of the epoch that a commit begins; a Welcome carries it to the new members.</summary>
    /// <param name="initSecret">Of the epoch that ends, or an external commit's.</param>
    /// <param name="commitSecret">All zero where the commit has no path.</param>
    /// <param name="groupContext">The new epoch's GroupContext, encoded.</param>
    public static Secret DeriveJoiner(
        MlsCipherSuite suite, ReadOnlySpan<byte> initSecret, ReadOnlySpan<byte> commitSecret,
        ReadOnlySpan<byte> groupContext)
    {
        using var extracted = suite.Extract(initSecret, commitSecret);
        var joiner = new Secret(suite.HashSize);
        suite.ExpandWithLabel(extracted.Span, "joiner", groupContext, joiner.Span);
        return joiner;
    }

    /// <summary>The secrets of the epoch that a commit begins.</summary>
    /// <param name="pskSecret">Of <see cref="PskSecrets"/>; all zero without pre-shared keys.</param>
    public static EpochSecrets Derive(
        MlsCipherSuite suite, ReadOnlySpan<byte> initSecret, ReadOnlySpan<byte> commitSecret,
        ReadOnlySpan<byte> groupContext, ReadOnlySpan<byte> pskSecret)
    {
        using var joiner = DeriveJoiner(suite, initSecret, commitSecret, groupContext);
        return FromJoiner(suite, joiner.Span, pskSecret, groupContext);
    }

    /// <summary>The secrets of the epoch that a Welcome lets its reader into.</summary>
    public static EpochSecrets FromJoiner(
        MlsCipherSuite suite, ReadOnlySpan<byte> joinerSecret, ReadOnlySpan<byte> pskSecret,
        ReadOnlySpan<byte> groupContext)
    {
        using var member = suite.Extract(joinerSecret, pskSecret);
        using var epoch = new Secret(suite.HashSize);
        suite.ExpandWithLabel(member.Span, "epoch", groupContext, epoch.Span);
        return FromEpochSecret(suite, epoch.Span);
    }

    /// <summary>The secrets of a new group's first epoch, whose epoch secret is random; section 11.</summary>
    public static EpochSecrets FromEpochSecret(MlsCipherSuite suite, ReadOnlySpan<byte> epochSecret)
    {
        var epoch = new EpochSecrets(suite);
        for (var place = 0; place < s_labels.Length; place++)
        {
            suite.DeriveSecret(epochSecret, s_labels[place], epoch.At(place));
        }

        return epoch;
    }

    /// <summary>Reads what <see cref="Write"/> wrote.</summary>
    public static EpochSecrets Read(ref TlsReader reader, MlsCipherSuite suite)
    {
        var epoch = new EpochSecrets(suite) { _encryptionTaken = true };
        for (var place = 0; place < s_labels.Length; place++)
        {
            if (place != EncryptionPlace)
            {
                // A reader that has failed gives nothing, and its caller throws the whole away.
                reader.ReadFixedSpan(suite.HashSize).CopyTo(epoch.At(place));
            }
        }

        return epoch;
    }

    /// <summary>Writes all secrets but the encryption secret, which the secret tree has; the caller clears the writer.</summary>
    public void Write(TlsWriter writer)
    {
        for (var place = 0; place < s_labels.Length; place++)
        {
            if (place != EncryptionPlace)
            {
                writer.WriteFixed(At(place));
            }
        }
    }

    /// <summary>The secret tree of this epoch, which takes the encryption secret with it; once.</summary>
    /// <param name="width">Leaves of the ratchet tree, blank ones included: a power of two.</param>
    /// <exception cref="InvalidOperationException">It was taken before.</exception>
    public SecretTree TakeSecretTree(uint width)
    {
        var tree = new SecretTree(_suite, EncryptionSecret, width);
        At(EncryptionPlace).Clear();
        _encryptionTaken = true;
        return tree;
    }

    /// <summary>The key pair that a stranger to the group encrypts to when it joins by an external commit.</summary>
    public (Secret PrivateKey, byte[] PublicKey) DeriveExternalKeyPair() => _suite.DeriveKeyPair(ExternalSecret);

    /// <summary>The tag that shows to have derived this epoch from this transcript, section 6.1.</summary>
    public byte[] ConfirmationTag(ReadOnlySpan<byte> confirmedTranscriptHash) =>
        _suite.Mac(ConfirmationKey, confirmedTranscriptHash);

    public bool VerifyConfirmationTag(ReadOnlySpan<byte> confirmedTranscriptHash, ReadOnlySpan<byte> tag) =>
        _suite.VerifyMac(ConfirmationKey, confirmedTranscriptHash, tag);

    /// <summary>MLS-Exporter, section 8.5.</summary>
    /// <exception cref="ArgumentOutOfRangeException">More than 255 hashes long, or negative.</exception>
    /// <exception cref="ArgumentException">
    /// The label is not ASCII: labels that differ in other characters would give one secret.
    /// </exception>
    public byte[] Export(string label, ReadOnlySpan<byte> context, int lengthBytes)
    {
        if (!Ascii.IsValid(label))
        {
            throw new ArgumentException("An exporter's label is ASCII.", nameof(label));
        }

        ArgumentOutOfRangeException.ThrowIfNegative(lengthBytes);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(lengthBytes, 255 * _suite.HashSize);
        using var derived = _suite.DeriveSecret(ExporterSecret, label);
        var exported = new byte[lengthBytes];
        _suite.ExpandWithLabel(derived.Span, "exported", _suite.Hash(context), exported);
        return exported;
    }

    public void Dispose() => _secrets.Dispose();

    private Span<byte> At(int place) => _secrets.Span.Slice(place * _suite.HashSize, _suite.HashSize);
}
