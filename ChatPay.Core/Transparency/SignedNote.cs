using System.Buffers.Binary;
using System.Diagnostics.CodeAnalysis;
using System.Text;
using ChatPay.Core.Cryptography;

namespace ChatPay.Core.Transparency;

/// <summary>A signature under a note.</summary>
/// <param name="Name">Of the key.</param>
/// <param name="KeyId">Of the key.</param>
/// <param name="Signature">One byte or more; 64 of Ed25519.</param>
public sealed record NoteSignature(string Name, uint KeyId, ReadOnlyMemory<byte> Signature);

/// <summary>
/// Text that one or several keys signed: C2SP signed-note. The text ends in a newline, an empty line follows, and then
/// a line for each signature. Nothing is to be made of the text before <see cref="Verify"/>.
/// </summary>
public sealed class SignedNote
{
    private const string Dash = "\u2014 ";
    private const int IdBytes = 4;

    private static readonly UTF8Encoding s_strictUtf8 = new(false, throwOnInvalidBytes: true);

    private SignedNote(string text, IReadOnlyList<NoteSignature> signatures)
    {
        Text = text;
        Signatures = signatures;
    }

    /// <summary>With the newline at its end.</summary>
    public string Text { get; }

    public IReadOnlyList<NoteSignature> Signatures { get; }

    /// <summary>Signs a text with one key or several.</summary>
    /// <exception cref="ArgumentException">
    /// The text does not end in a newline, has another control character or is too long, or there is no signer.
    /// </exception>
    public static SignedNote Sign(string text, params IReadOnlyList<NoteSigner> signers)
    {
        ArgumentNullException.ThrowIfNull(text);
        ArgumentNullException.ThrowIfNull(signers);
        if (!IsText(text))
        {
            throw new ArgumentException(
                "A note's text has lines, each ended by a newline, and no other control character.", nameof(text));
        }

        if (signers.Count is 0 or > LogLimits.NoteSignatures)
        {
            throw new ArgumentException("A note has 1 to 32 signatures.", nameof(signers));
        }

        var bytes = s_strictUtf8.GetBytes(text);
        return new SignedNote(
            text,
            [.. signers.Select(
                signer => new NoteSignature(signer.Verifier.Name, signer.Verifier.Id, signer.Sign(bytes)))]);
    }

    /// <summary>Reads a note; no signature is looked at yet.</summary>
    public static bool TryParse(
        ReadOnlySpan<byte> bytes, [NotNullWhen(true)] out SignedNote? note, out LogRejection rejection)
    {
        note = null;
        if (bytes.Length > LogLimits.NoteBytes)
        {
            rejection = LogRejection.TooLarge;
            return false;
        }

        rejection = LogRejection.NoteMalformed;
        if (Decode(bytes) is not { } all || !IsText(all))
        {
            return false;
        }

        // The last empty line parts text and signatures; the text may have empty lines of its own.
        var end = all.LastIndexOf("\n\n", StringComparison.Ordinal);
        if (end < 1 || end + 2 == all.Length)
        {
            return false;
        }

        rejection = ReadSignatures(all[(end + 2)..^1], out var signatures);
        note = rejection == LogRejection.None ? new SignedNote(all[..(end + 1)], signatures) : null;
        return note is not null;
    }

    /// <summary>Verifies the signatures of the keys that the reader trusts, and ignores all others.</summary>
    /// <param name="trusted">No two of one name and id.</param>
    /// <param name="signers">Those of the trusted keys that signed; empty unless the note is good.</param>
    /// <returns>
    /// <see cref="LogRejection.SignatureInvalid"/> if one by a trusted key does not verify, whatever the others say;
    /// <see cref="LogRejection.SignerUnknown"/> if there is none by a trusted key.
    /// </returns>
    /// <exception cref="ArgumentException">Two trusted keys of one name and id.</exception>
    public LogRejection Verify(IReadOnlyList<NoteVerifier> trusted, out IReadOnlyList<NoteVerifier> signers)
    {
        ArgumentNullException.ThrowIfNull(trusted);
        if (trusted.DistinctBy(key => (key.Name, key.Id)).Count() != trusted.Count)
        {
            throw new ArgumentException("Two of the trusted keys have one name and id.", nameof(trusted));
        }

        signers = [];
        var text = s_strictUtf8.GetBytes(Text);
        var verified = new List<NoteVerifier>();
        foreach (var signature in Signatures)
        {
            var key = trusted.FirstOrDefault(key => key.Name == signature.Name && key.Id == signature.KeyId);
            if (key is null)
            {
                continue;
            }

            if (!SignatureAlgorithm.Ed25519.Verify(key.Key, text, signature.Signature.Span))
            {
                return LogRejection.SignatureInvalid;
            }

            if (!verified.Contains(key))
            {
                verified.Add(key);
            }
        }

        signers = verified;
        return verified.Count == 0 ? LogRejection.SignerUnknown : LogRejection.None;
    }

    /// <summary>The note as it is sent.</summary>
    public byte[] ToBytes() => s_strictUtf8.GetBytes(ToString());

    public override string ToString()
    {
        var text = new StringBuilder(Text).Append('\n');
        foreach (var signature in Signatures)
        {
            var bytes = new byte[IdBytes + signature.Signature.Length];
            BinaryPrimitives.WriteUInt32BigEndian(bytes, signature.KeyId);
            signature.Signature.CopyTo(bytes.AsMemory(IdBytes));
            text.Append(Dash).Append(signature.Name).Append(' ').Append(Convert.ToBase64String(bytes)).Append('\n');
        }

        return text.ToString();
    }

    private static LogRejection ReadSignatures(string lines, out IReadOnlyList<NoteSignature> signatures)
    {
        var read = new List<NoteSignature>();
        signatures = read;
        foreach (var line in lines.Split('\n'))
        {
            if (read.Count == LogLimits.NoteSignatures)
            {
                return LogRejection.TooLarge;
            }

            var parts = line.Split(' ');
            if (parts.Length != 3 || parts[0] != Dash[..1] || !NoteVerifier.IsName(parts[1])
                || StrictBase64.Decode(parts[2]) is not { Length: > IdBytes } bytes)
            {
                return LogRejection.SignatureMalformed;
            }

            read.Add(new NoteSignature(parts[1], BinaryPrimitives.ReadUInt32BigEndian(bytes), bytes.AsMemory(IdBytes)));
        }

        return LogRejection.None;
    }

    private static bool IsText(string text) =>
        text.Length is > 0 and <= LogLimits.NoteBytes && text[^1] == '\n'
        && !text.Any(character => character < ' ' && character != '\n');

    private static string? Decode(ReadOnlySpan<byte> bytes)
    {
        try
        {
            return s_strictUtf8.GetString(bytes);
        }
        catch (DecoderFallbackException)
        {
            return null;
        }
    }
}
