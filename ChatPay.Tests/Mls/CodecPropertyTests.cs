using ChatPay.Core.Mls;
using ChatPay.Core.Protocol;
using ChatPay.Tests.Support;
using FsCheck;
using FsCheck.Fluent;
using Xunit;

namespace ChatPay.Tests.Mls;

/// <summary>Laws of the codec over generated messages and over noise.</summary>
public sealed class CodecPropertyTests
{
    /// <summary>One valid message of each kind, made once: signing each anew would only repeat the same shapes.</summary>
    private static readonly byte[][] s_samples = Samples();

    [Fact]
    public void Decoding_what_was_encoded_gives_the_same_bytes() =>
        Assert.All(s_samples, static sample =>
        {
            Assert.True(TlsCodec.TryDecode<MlsMessage>(sample, out var message, out var rejection), rejection.ToString());
            Assert.Equal(sample, TlsCodec.Encode(message));
        });

    [Fact]
    public void Generated_private_messages_survive_the_round_trip() =>
        Check.QuickThrowOnFailure(Prop.ForAll<byte[], byte[], ulong>(static (groupId, ciphertext, epoch) =>
        {
            var bytes = TlsCodec.Encode(new MlsMessage(new PrivateMessage
            {
                GroupId = groupId,
                Epoch = epoch,
                ContentType = ContentType.Application,
                AuthenticatedData = ciphertext,
                EncryptedSenderData = groupId,
                Ciphertext = ciphertext,
            }));
            return TlsCodec.TryDecode<MlsMessage>(bytes, out var message, out _)
                && TlsCodec.Encode(message).AsSpan().SequenceEqual(bytes)
                && PrivateMessageHeader.TryRead(bytes, out var header, out _)
                && header.Epoch == epoch
                && header.GroupId.AsSpan().SequenceEqual(groupId)
                && header.AuthenticatedData.AsSpan().SequenceEqual(ciphertext);
        }));

    [Fact]
    public void Vectors_of_every_length_class_survive_the_round_trip()
    {
        foreach (var length in new[] { 0, 1, 63, 64, 65, 16383, 16384, 16385, 70000 })
        {
            var writer = new TlsWriter();
            var mark = writer.BeginVector();
            writer.WriteFixed(new byte[length]);
            writer.EndVector(mark);
            var plain = new TlsWriter();
            plain.WriteOpaque(new byte[length]);

            Assert.Equal(plain.ToArray(), writer.ToArray());
            var reader = new TlsReader(writer.WrittenSpan);
            Assert.Equal(length, reader.ReadOpaque().Length);
            reader.End();
            Assert.Equal(MlsRejection.None, reader.Rejection);
        }
    }

    [Fact]
    public void Every_truncation_and_every_extra_byte_is_refused() =>
        Assert.All(s_samples, static sample =>
        {
            for (var length = 0; length < sample.Length; length++)
            {
                Assert.False(
                    TlsCodec.TryDecode<MlsMessage>(sample.AsSpan(..length), out _, out var rejection), $"{length}");
                Assert.NotEqual(MlsRejection.None, rejection);
                Assert.False(PrivateMessageHeader.TryRead(sample.AsSpan(..length), out _, out _));
                Assert.False(CommitInspector.TryInspect(sample.AsSpan(..length), out _, out _));
            }

            Assert.False(TlsCodec.TryDecode<MlsMessage>([.. sample, 0], out _, out var extra));
            Assert.Equal(MlsRejection.TrailingBytes, extra);
        });

    [Fact]
    public void Noise_never_throws() =>
        Check.One(Config.QuickThrowOnFailure.WithMaxTest(2000), Prop.ForAll<byte[], int>(static (noise, seed) =>
        {
            DecodeAll(noise);
            DecodeAll([0, 1, 0, (byte)(unchecked((uint)seed) % 6), .. noise]);
            return true;
        }));

    [Fact]
    public void A_valid_message_with_bytes_changed_never_throws_and_never_re_encodes_differently() =>
        Check.One(Config.QuickThrowOnFailure.WithMaxTest(2000), Prop.ForAll<int, int, byte>(static (which, place, value) =>
        {
            var sample = s_samples[(int)(unchecked((uint)which) % (uint)s_samples.Length)].AsSpan().ToArray();
            sample[(int)(unchecked((uint)place) % (uint)sample.Length)] = value;
            DecodeAll(sample);
            return !TlsCodec.TryDecode<MlsMessage>(sample, out var message, out _)
                || TlsCodec.Encode(message).AsSpan().SequenceEqual(sample);
        }));

    /// <summary>A vector of the smallest items is the worst there is: one byte of input, one object.</summary>
    [Fact]
    public void Allocations_stay_within_a_small_multiple_of_the_input()
    {
        var writer = new TlsWriter();
        writer.WriteOpaque(new byte[MlsLimits.VectorItems]);
        var blanks = writer.ToArray();
        var before = GC.GetAllocatedBytesForCurrentThread();

        Assert.True(TlsCodec.TryDecode<RatchetTree>(blanks, out var tree, out _));

        var allocated = GC.GetAllocatedBytesForCurrentThread() - before;
        Assert.Equal(MlsLimits.VectorItems, tree.Nodes.Count);
        Assert.InRange(allocated, 0, blanks.Length * 32L);
    }

    [Fact]
    public void More_items_than_the_limit_are_refused()
    {
        var writer = new TlsWriter();
        writer.WriteOpaque(new byte[MlsLimits.VectorItems + 1]);

        Assert.False(TlsCodec.TryDecode<RatchetTree>(writer.WrittenSpan, out _, out var rejection));
        Assert.Equal(MlsRejection.TooLarge, rejection);
    }

    private static void DecodeAll(byte[] bytes)
    {
        TlsCodec.TryDecode<MlsMessage>(bytes, out _, out _);
        TlsCodec.TryDecode<RatchetTree>(bytes, out _, out _);
        TlsCodec.TryDecode<GroupSecrets>(bytes, out _, out _);
        TlsCodec.TryDecode<Proposal>(bytes, out _, out _);
        TlsCodec.TryDecode<Commit>(bytes, out _, out _);
        CommitInspector.TryInspect(bytes, out _, out _);
        PrivateMessageHeader.TryRead(bytes, out _, out _);
        AuthenticatedData.TryDecode(bytes, out _);
        CredentialIdentity.TryRead(bytes, out _);
        GroupIds.TryRead(bytes, out _);
    }

    private static byte[][] Samples()
    {
        var conversation = new ConversationId(new Guid("01890000-0000-7000-8000-000000000001"));
        var account = new AccountId(new Guid("01890000-0000-7000-8000-000000000002"));
        var device = new DeviceId(new Guid("01890000-0000-7000-8000-000000000003"));
        using var key = TestMls.NewSignatureKey();
        var package = TestMls.KeyPackage(account, device, key);
        var options = new CommitOptions
        {
            Conversation = conversation,
            Epoch = 1,
            Account = account,
            Device = device,
            SignatureKey = key,
            Adds = [package],
            Removes = [1],
        };
        return
        [
            package,
            TestMls.Commit(options),
            TestMls.ExternalCommit(options with { Adds = [] }, 0),
            TestMls.Welcome(package, package),
            TestMls.GroupInfo(conversation, 1, key),
            TestMls.PrivateMessage(conversation, 1, new ClientMessageId(Guid.Empty)),
        ];
    }
}
