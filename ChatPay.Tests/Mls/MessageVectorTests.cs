using ChatPay.Core.Mls;
using ChatPay.Tests.Support;
using Xunit;

namespace ChatPay.Tests.Mls;

/// <summary>The MLS working group's messages.json and deserialization.json, every entry of every file.</summary>
public sealed class MessageVectorTests
{
    [Fact]
    public void No_published_file_is_of_a_kind_that_nobody_reads() => Assert.All(
        MlsVectors.Files(),
        static file => Assert.Contains(
            MlsVectors.Kinds, kind => Path.GetFileName(file).StartsWith(kind, StringComparison.Ordinal)));

    [Fact]
    public void Every_published_message_decodes_and_encodes_to_the_same_bytes() =>
        MlsVectors.ForEach("messages", static entry =>
        {
            foreach (var property in entry.EnumerateObject())
            {
                RoundTrip(property.Name, Convert.FromHexString(property.Value.GetString()!));
            }
        });

    [Fact]
    public void Every_published_vector_length_decodes_and_encodes_to_the_same_bytes() =>
        MlsVectors.ForEach("deserialization", static entry =>
        {
            var header = entry.Hex("vlbytes_header");
            var length = entry.GetProperty("length").GetInt32();
            var reader = new TlsReader(header);

            Assert.Equal(length, reader.ReadLength());
            Assert.Equal(MlsRejection.None, reader.Rejection);
            Assert.False(reader.HasMore);
            var writer = new TlsWriter();
            writer.WriteLength(length);
            Assert.Equal(header, writer.ToArray());
        });

    [Theory]
    [InlineData("4000", MlsRejection.LengthNotMinimal)]
    [InlineData("403f", MlsRejection.LengthNotMinimal)]
    [InlineData("80000000", MlsRejection.LengthNotMinimal)]
    [InlineData("80003fff", MlsRejection.LengthNotMinimal)]
    [InlineData("c0", MlsRejection.LengthReserved)]
    [InlineData("ffffffffffffffff", MlsRejection.LengthReserved)]
    [InlineData("", MlsRejection.Truncated)]
    [InlineData("40", MlsRejection.Truncated)]
    [InlineData("800040", MlsRejection.Truncated)]
    public void Lengths_have_one_encoding(string hex, MlsRejection expected)
    {
        var reader = new TlsReader(Convert.FromHexString(hex));

        reader.ReadLength();

        Assert.Equal(expected, reader.Rejection);
    }

    [Fact]
    public void A_length_beyond_the_input_allocates_nothing_for_it()
    {
        byte[] claim = [0xbf, 0xff, 0xff, 0xff];
        var reader = new TlsReader(claim);
        var before = GC.GetAllocatedBytesForCurrentThread();

        var bytes = reader.ReadOpaque();

        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);
        Assert.Empty(bytes);
        Assert.Equal(MlsRejection.Truncated, reader.Rejection);
    }

    private static void RoundTrip(string kind, byte[] bytes)
    {
        switch (kind)
        {
            case "mls_welcome" or "mls_group_info" or "mls_key_package" or "public_message_application"
                or "public_message_proposal" or "public_message_commit" or "private_message":
                RoundTrip<MlsMessage>(bytes);
                break;
            case "ratchet_tree":
                RoundTrip<RatchetTree>(bytes);
                break;
            case "group_secrets":
                RoundTrip<GroupSecrets>(bytes);
                break;
            case "commit":
                RoundTrip<Commit>(bytes);
                break;
            case "add_proposal":
                RoundTripProposal(ProposalType.Add, bytes);
                break;
            case "update_proposal":
                RoundTripProposal(ProposalType.Update, bytes);
                break;
            case "remove_proposal":
                RoundTripProposal(ProposalType.Remove, bytes);
                break;
            case "pre_shared_key_proposal":
                RoundTripProposal(ProposalType.PreSharedKey, bytes);
                break;
            case "re_init_proposal":
                RoundTripProposal(ProposalType.ReInit, bytes);
                break;
            case "external_init_proposal":
                RoundTripProposal(ProposalType.ExternalInit, bytes);
                break;
            case "group_context_extensions_proposal":
                RoundTripProposal(ProposalType.GroupContextExtensions, bytes);
                break;
            default:
                Assert.Fail($"No structure is known for {kind}.");
                break;
        }
    }

    /// <summary>The vectors hold the proposal's own struct; the type before it is put there.</summary>
    private static void RoundTripProposal(ProposalType type, byte[] bytes)
    {
        var proposal = RoundTrip<Proposal>([0, (byte)type, .. bytes]);
        Assert.Equal(type, proposal.Type);
    }

    private static T RoundTrip<T>(byte[] bytes)
        where T : class, ITlsStructure<T>
    {
        Assert.True(TlsCodec.TryDecode<T>(bytes, out var value, out var rejection), rejection.ToString());
        Assert.Equal(Convert.ToHexString(bytes), Convert.ToHexString(TlsCodec.Encode(value)));
        return value;
    }
}
