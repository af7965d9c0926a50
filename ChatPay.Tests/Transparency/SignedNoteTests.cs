using System.Text;
using ChatPay.Core.Cryptography;
using ChatPay.Core.Transparency;
using ChatPay.Tests.Support;
using Xunit;

namespace ChatPay.Tests.Transparency;

/// <summary>Signed notes and checkpoints: the published examples, and what is none.</summary>
public sealed class SignedNoteTests
{
    // C2SP signed-note, sections "Example" and "Verifier keys".
    private const string ExampleKey = "example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k";

    private const string Example =
        "This is an example message.\n\n"
        + "— example.com/foo Uw2QOkn8srV1yJGh2VYRlL1Tnagv1YEq6TfXppzi2ONncAlTgK7Ztg1ERYNZXsYjOBH3mFXmRKuwHjG1Yu72IneyaQM=\n";

    private const string Origin = "chat.example.org/keys";

    [Fact]
    public void The_published_note_verifies_with_the_published_key()
    {
        Assert.True(NoteVerifier.TryParse(ExampleKey, out var key));
        Assert.Equal(ExampleKey, key.ToString());
        Assert.True(SignedNote.TryParse(Encoding.UTF8.GetBytes(Example), out var note, out _));
        Assert.Equal("This is an example message.\n", note.Text);
        Assert.Equal(Example, note.ToString());
        Assert.Equal(LogRejection.None, note.Verify([key], out var signers));
        Assert.Equal([key], signers);
    }

    [Fact]
    public void Signatures_of_strangers_are_ignored_and_a_wrong_one_of_a_trusted_key_is_not()
    {
        using var log = NewKey("log");
        using var witness = NewKey("witness");
        using var other = NewKey("other");
        var (logSigner, witnessSigner) = (new NoteSigner(Origin, log), new NoteSigner("witness.example", witness));
        var text = "First line\n\nunder an empty one ☕\n";
        var note = SignedNote.Sign(text, logSigner, witnessSigner);
        Assert.True(SignedNote.TryParse(note.ToBytes(), out var read, out _));
        Assert.Equal(text, read.Text);
        Assert.Equal(2, read.Signatures.Count);
        Assert.Equal(LogRejection.None, read.Verify([logSigner.Verifier], out var signers));
        Assert.Equal([logSigner.Verifier], signers);
        Assert.Equal(LogRejection.None, read.Verify([witnessSigner.Verifier, logSigner.Verifier], out signers));
        Assert.Equal(2, signers.Count);
        var stranger = new NoteVerifier(Origin, other.PublicKey);
        Assert.Equal(LogRejection.SignerUnknown, read.Verify([stranger], out signers));
        Assert.Empty(signers);
        Assert.Equal(LogRejection.SignerUnknown, read.Verify([], out _));
        Assert.Throws<ArgumentException>(() => read.Verify([logSigner.Verifier, logSigner.Verifier], out _));

        var changed = Encoding.UTF8.GetBytes(note.ToString().Replace("First", "Other", StringComparison.Ordinal));
        Assert.True(SignedNote.TryParse(changed, out read, out _));
        Assert.Equal(LogRejection.SignatureInvalid, read.Verify([logSigner.Verifier], out signers));
        Assert.Empty(signers);
    }

    [Theory]
    [InlineData("", LogRejection.NoteMalformed)]
    [InlineData("text\n", LogRejection.NoteMalformed)]
    [InlineData("text\n\n", LogRejection.NoteMalformed)]
    [InlineData("\n\n— a AAAAAAA=\n", LogRejection.NoteMalformed)]
    [InlineData("text\n— a AAAAAAA=\n", LogRejection.NoteMalformed)]
    [InlineData("text\n\n— a AAAAAAA=", LogRejection.NoteMalformed)]
    [InlineData("te\txt\n\n— a AAAAAAA=\n", LogRejection.NoteMalformed)]
    [InlineData("text\r\n\n— a AAAAAAA=\n", LogRejection.NoteMalformed)]
    [InlineData("text\n\n- a AAAAAAA=\n", LogRejection.SignatureMalformed)]
    [InlineData("text\n\n— a  AAAAAAA=\n", LogRejection.SignatureMalformed)]
    [InlineData("text\n\n— a+b AAAAAAA=\n", LogRejection.SignatureMalformed)]
    [InlineData("text\n\n— a AAAAAA==\n", LogRejection.SignatureMalformed)]
    [InlineData("text\n\n— a AAAAAAB=\n", LogRejection.SignatureMalformed)]
    [InlineData("text\n\n— a AAAAAAA\n", LogRejection.SignatureMalformed)]
    [InlineData("text\n\n— a AAAA AAA=\n", LogRejection.SignatureMalformed)]
    [InlineData("text\n\n— a\n", LogRejection.SignatureMalformed)]
    public void What_is_no_note_is_refused_by_kind(string text, LogRejection expected)
    {
        Assert.False(SignedNote.TryParse(Encoding.UTF8.GetBytes(text), out _, out var rejection));
        Assert.Equal(expected, rejection);
    }

    [Fact]
    public void Notes_are_bounded()
    {
        var line = "— a AAAAAAA=\n";
        Assert.True(SignedNote.TryParse(Encoding.UTF8.GetBytes("t\n\n" + Repeat(line, 32)), out var note, out _));
        Assert.Equal(32, note.Signatures.Count);
        Assert.False(SignedNote.TryParse(Encoding.UTF8.GetBytes("t\n\n" + Repeat(line, 33)), out _, out var rejection));
        Assert.Equal(LogRejection.TooLarge, rejection);
        Assert.False(SignedNote.TryParse(new byte[LogLimits.NoteBytes + 1], out _, out rejection));
        Assert.Equal(LogRejection.TooLarge, rejection);
        Assert.False(SignedNote.TryParse([0xff, (byte)'\n', (byte)'\n'], out _, out rejection));
        Assert.Equal(LogRejection.NoteMalformed, rejection);
    }

    [Theory]
    [InlineData("")]
    [InlineData("example.com/foo")]
    [InlineData("example.com/foo+530d903a")]
    [InlineData("example.com/foo+530d903b+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k")]
    [InlineData("example.com/foo+530D903A+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k")]
    [InlineData("example.com/fop+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k")]
    [InlineData("example.com foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k")]
    [InlineData("example.com/foo+530d903a+AukyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k")]
    [InlineData("example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2")]
    [InlineData("+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k")]
    public void Nothing_else_is_a_verifier_key(string text) => Assert.False(NoteVerifier.TryParse(text, out _));

    [Fact]
    public void A_checkpoint_opens_for_its_log_and_key()
    {
        using var key = NewKey("log");
        using var other = NewKey("other");
        var signer = new NoteSigner(Origin, key);
        var root = new TestLog(5).Frontier.Root();
        var bytes = new Checkpoint(Origin, 5, root).Sign(signer).ToBytes();
        Assert.StartsWith(
            $"{Origin}\n5\n{Convert.ToBase64String(root)}\n\n— {Origin} ", Encoding.UTF8.GetString(bytes),
            StringComparison.Ordinal);
        Assert.Equal(LogRejection.None, Checkpoint.Open(bytes, Origin, signer.Verifier, out var checkpoint));
        Assert.Equal(5, checkpoint!.Size);
        Assert.Equal(root, checkpoint.Root);
        Assert.Equal(LogRejection.OriginOther, Checkpoint.Open(bytes, "other", signer.Verifier, out checkpoint));
        Assert.Null(checkpoint);
        Assert.Equal(
            LogRejection.SignerUnknown,
            Checkpoint.Open(bytes, Origin, new NoteVerifier(Origin, other.PublicKey), out _));
        var notOne = SignedNote.Sign("no checkpoint\n", signer).ToBytes();
        Assert.Equal(LogRejection.CheckpointMalformed, Checkpoint.Open(notOne, Origin, signer.Verifier, out _));
    }

    /// <summary>C2SP tlog-checkpoint's example, without its signature, whose key is not published with it.</summary>
    [Fact]
    public void The_published_checkpoint_is_read()
    {
        Assert.True(Checkpoint.TryParse(
            "example.com/behind-the-sofa\n20852163\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n", out var checkpoint));
        Assert.Equal("example.com/behind-the-sofa", checkpoint.Origin);
        Assert.Equal(20_852_163, checkpoint.Size);
        Assert.Empty(checkpoint.Extensions);
        Assert.True(Checkpoint.TryParse(checkpoint.ToText() + "more\n", out var extended));
        Assert.Equal(["more"], extended.Extensions);
        Assert.Equal(checkpoint.ToText() + "more\n", extended.ToText());
    }

    [Theory]
    [InlineData("o\n1\n")]
    [InlineData("o\n01\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n")]
    [InlineData("o\n-1\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n")]
    [InlineData("o\n+1\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n")]
    [InlineData("o\n9223372036854775808\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n")]
    [InlineData("\n1\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n")]
    [InlineData("o\n1\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I\n")]
    [InlineData("o\n1\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2J=\n")]
    [InlineData("o\n1\nAAAA\n")]
    [InlineData("o\n1\nCsUYapGGPo4dkMgI AUqom/Xajj7h2fB2MPA3j2jxq2I=\n")]
    [InlineData("o\n1\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n\n")]
    [InlineData("o\n1\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=")]
    public void Nothing_else_is_a_checkpoint(string text) => Assert.False(Checkpoint.TryParse(text, out _));

    private static string Repeat(string text, int count) => string.Concat(Enumerable.Repeat(text, count));

    private static Key NewKey(string seed) => TestVault.NewKey(TestVault.Stream(seed));
}
