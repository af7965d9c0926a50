using System.Diagnostics.CodeAnalysis;
using System.Globalization;

namespace ChatPay.Core.Transparency;

/// <summary>
/// What a log says of itself at one size, as the text of a signed note: C2SP tlog-checkpoint. The lines are origin,
/// size in decimal, root in base64; more lines may follow and are kept as they are.
/// </summary>
public sealed class Checkpoint
{
    private const int OriginLine = 0;
    private const int SizeLine = 1;
    private const int RootLine = 2;
    private const int MandatoryLines = 3;

    private readonly byte[] _root;

    /// <param name="origin">Which log, such as <c>chat.example.org/keys</c>: one line that is not empty.</param>
    /// <param name="size">How many entries.</param>
    /// <param name="root">32 bytes.</param>
    /// <exception cref="ArgumentException">
    /// An origin of none or several lines, a negative size, or a root of another size.
    /// </exception>
    public Checkpoint(string origin, long size, ReadOnlySpan<byte> root)
        : this(origin, size, root.ToArray(), [])
    {
    }

    private Checkpoint(string origin, long size, byte[] root, IReadOnlyList<string> extensions)
    {
        if (string.IsNullOrEmpty(origin) || origin.Any(char.IsControl))
        {
            throw new ArgumentException("An origin is one line.", nameof(origin));
        }

        ArgumentOutOfRangeException.ThrowIfNegative(size);
        if (root.Length != MerkleHash.SizeBytes)
        {
            throw new ArgumentException($"A root has {MerkleHash.SizeBytes} bytes.", nameof(root));
        }

        Origin = origin;
        Size = size;
        _root = root;
        Extensions = extensions;
    }

    public string Origin { get; }

    public long Size { get; }

    /// <summary>32 bytes.</summary>
    public ReadOnlySpan<byte> Root => _root;

    /// <summary>Lines that a log may add; ours adds none.</summary>
    public IReadOnlyList<string> Extensions { get; }

    /// <summary>The note's text.</summary>
    public string ToText() =>
        string.Join(
            '\n',
            [Origin, Size.ToString(CultureInfo.InvariantCulture), Convert.ToBase64String(_root), .. Extensions])
        + "\n";

    public SignedNote Sign(params IReadOnlyList<NoteSigner> signers) => SignedNote.Sign(ToText(), signers);

    /// <summary>Reads a note's text, whose signatures the caller has verified.</summary>
    public static bool TryParse(string? text, [NotNullWhen(true)] out Checkpoint? checkpoint)
    {
        checkpoint = null;
        if (text is not { Length: > 0 and <= LogLimits.NoteBytes } || text[^1] != '\n')
        {
            return false;
        }

        var lines = text[..^1].Split('\n');
        if (lines.Length < MandatoryLines || lines.Any(line => line.Length == 0 || line.Any(char.IsControl))
            || !long.TryParse(lines[SizeLine], NumberStyles.None, CultureInfo.InvariantCulture, out var size)
            || size.ToString(CultureInfo.InvariantCulture) != lines[SizeLine]
            || StrictBase64.Decode(lines[RootLine]) is not { Length: MerkleHash.SizeBytes } root)
        {
            return false;
        }

        checkpoint = new Checkpoint(lines[OriginLine], size, root, lines[MandatoryLines..]);
        return true;
    }

    /// <summary>Reads and verifies a log's checkpoint in one go.</summary>
    /// <param name="note">The signed note's bytes.</param>
    /// <param name="origin">Which log it must be of.</param>
    /// <param name="log">The log's key: it must have signed, whoever else did.</param>
    public static LogRejection Open(
        ReadOnlySpan<byte> note, string origin, NoteVerifier log, out Checkpoint? checkpoint)
    {
        checkpoint = null;
        if (!SignedNote.TryParse(note, out var signed, out var rejection)
            || (rejection = signed.Verify([log], out _)) != LogRejection.None)
        {
            return rejection;
        }

        if (!TryParse(signed.Text, out var read))
        {
            return LogRejection.CheckpointMalformed;
        }

        if (read.Origin != origin)
        {
            return LogRejection.OriginOther;
        }

        checkpoint = read;
        return LogRejection.None;
    }
}
