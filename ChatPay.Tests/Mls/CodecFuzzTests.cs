using ChatPay.Core.Mls;
using Xunit;

namespace ChatPay.Tests.Mls;

/// <summary>
/// Wrong encodings, made out of right ones, against the codec: nothing throws, nothing allocates beyond the input's size
/// class, and what is accepted has one encoding. See <see cref="FuzzRun"/> for longer runs.
/// </summary>
public sealed class CodecFuzzTests(ITestOutputHelper output)
{
    /// <summary>
    /// The smallest items of vectors, a blank node or an empty reference, take one or two bytes and become an object with
    /// a place in a list that doubles as it grows; a codec that trusted lengths would be beyond this by orders.
    /// </summary>
    private const int AllocatedPerByte = 48;
    private const int AllocatedBesides = 4096;
    private const double Seconds = 3;

    /// <summary>What reads bytes from the wire.</summary>
    private static readonly (string Name, Action<byte[]> Read)[] s_readers =
    [
        ("MLSMessage", static bytes => Decode<MlsMessage>(bytes)),
        ("RatchetTree", static bytes => Decode<RatchetTree>(bytes)),
        ("GroupSecrets", static bytes => Decode<GroupSecrets>(bytes)),
        ("Commit", static bytes => Decode<Commit>(bytes)),
        ("Proposal", static bytes => Decode<Proposal>(bytes)),
        ("GroupInfo", static bytes => Decode<GroupInfo>(bytes)),
        ("CommitInspector", static bytes => CommitInspector.TryInspect(bytes, out _, out _)),
        ("PrivateMessageHeader", static bytes => PrivateMessageHeader.TryRead(bytes, out _, out _)),
        ("AuthenticatedData", static bytes => AuthenticatedData.TryDecode(bytes, out _)),
    ];

    [Fact]
    public void The_shapes_written_down_for_mutation_are_those_that_the_codec_reads()
    {
        foreach (var message in WireCorpus.Messages())
        {
            var bytes = message.Encode();
            Assert.True(TlsCodec.TryDecode<MlsMessage>(bytes, out var decoded, out var rejection), $"{rejection}");
            Assert.Equal(bytes, TlsCodec.Encode(decoded));
        }
    }

    [Fact]
    public void Mutated_messages_never_throw_never_allocate_much_and_have_one_encoding() => Fuzz(WireCorpus.Messages());

    [Fact]
    public void Mutated_parts_never_throw_never_allocate_much_and_have_one_encoding() => Fuzz(WireCorpus.Parts());

    /// <summary>In turn every length in every message claims the most that a length can.</summary>
    [Fact]
    public void A_length_that_claims_a_gigabyte_is_refused_without_allocating_for_it()
    {
        byte[] most = [0xbf, 0xff, 0xff, 0xff];
        foreach (var message in WireCorpus.Messages().Concat(WireCorpus.Parts()))
        {
            // What an extension holds stays bytes until somebody asks for it; trees are among the parts by themselves.
            var unread = message.All().Where(static node => node is StructNode { Kind: "Extension" })
                .SelectMany(static extension => extension.Children[1].Children).SelectMany(static node => node.All());
            foreach (var sized in message.All().Except(unread).OfType<SizedNode>())
            {
                sized.Header = most;
                var bytes = message.Encode();
                sized.Header = null;
                Attempt(bytes);
                Assert.False(TlsCodec.TryDecode<MlsMessage>(bytes, out _, out _));
                Assert.False(TlsCodec.TryDecode<RatchetTree>(bytes, out _, out _));
            }
        }
    }

    [Fact]
    public void An_encoding_cut_anywhere_is_refused_without_allocating_for_what_is_missing()
    {
        foreach (var message in WireCorpus.Messages())
        {
            var bytes = message.Encode();
            for (var length = 0; length < bytes.Length; length++)
            {
                var cut = bytes[..length];
                FuzzRun.AssertFrugal("MLSMessage", length, AllocatedPerByte, AllocatedBesides, () =>
                    Assert.False(TlsCodec.TryDecode<MlsMessage>(cut, out _, out _)));
            }
        }
    }

    /// <summary>
    /// No structure of RFC 9420 contains itself, so only a structure made for it can nest: the codec's own bound holds the
    /// stack, whatever is read with it.
    /// </summary>
    [Theory]
    [InlineData(MlsLimits.VectorDepth, MlsRejection.None)]
    [InlineData(MlsLimits.VectorDepth + 1, MlsRejection.TooLarge)]
    [InlineData(100_000, MlsRejection.TooLarge)]
    public void Vectors_nested_too_deep_are_refused(int depth, MlsRejection expected)
    {
        List<byte[]> headers = [];
        for (var (level, length) = (0, 0); level < depth; level++)
        {
            var writer = new TlsWriter();
            writer.WriteLength(length);
            headers.Add(writer.ToArray());
            length += writer.WrittenSpan.Length;
        }

        headers.Reverse();
        byte[] bytes = [.. headers.SelectMany(static header => header)];

        TlsCodec.TryDecode<Nest>(bytes, out _, out var rejection);

        Assert.Equal(expected, rejection);
    }

    [Fact]
    public void An_input_beyond_the_largest_message_is_refused_unread()
    {
        var bytes = new byte[MlsLimits.MessageBytes + 1];
        FuzzRun.AssertFrugal("MLSMessage", 0, AllocatedPerByte, AllocatedBesides, () =>
        {
            Assert.False(TlsCodec.TryDecode<MlsMessage>(bytes, out _, out var rejection));
            Assert.Equal(MlsRejection.TooLarge, rejection);
        });
    }

    private static void Decode<T>(byte[] bytes)
        where T : class, ITlsStructure<T> => TlsCodec.TryDecode<T>(bytes, out _, out _);

    private static void AssertOneEncoding<T>(byte[] bytes)
        where T : class, ITlsStructure<T> =>
        Assert.True(
            !TlsCodec.TryDecode<T>(bytes, out var value, out _) || TlsCodec.Encode(value).AsSpan().SequenceEqual(bytes),
            $"{typeof(T).Name} was accepted and encodes to other bytes.");

    private static void Attempt(byte[] bytes)
    {
        foreach (var (name, read) in s_readers)
        {
            FuzzRun.AssertFrugal(name, bytes.Length, AllocatedPerByte, AllocatedBesides, () => read(bytes));
        }

        AssertOneEncoding<MlsMessage>(bytes);
        AssertOneEncoding<RatchetTree>(bytes);
        AssertOneEncoding<GroupSecrets>(bytes);
        AssertOneEncoding<Commit>(bytes);
    }

    private void Fuzz(IReadOnlyList<WireNode> corpus)
    {
        // What runs for the first time allocates for itself, too.
        foreach (var (_, read) in s_readers)
        {
            corpus.ToList().ForEach(node => read(node.Encode()));
        }

        new FuzzRun(output, Seconds).Run(
            dice => new WireMutator(dice, corpus).MutateBytes(dice.Pick(corpus)), Attempt);
    }

    private sealed class Nest : ITlsStructure<Nest>
    {
        public static Nest Read(ref TlsReader reader)
        {
            reader.ReadVector<Nest>();
            return new Nest();
        }

        public void Write(TlsWriter writer) => writer.WriteVector<Nest>([]);
    }
}
