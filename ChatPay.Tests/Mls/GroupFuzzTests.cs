using ChatPay.Core.Mls;
using ChatPay.Tests.Support;
using Xunit;

namespace ChatPay.Tests.Mls;

/// <summary>
/// Wrong messages against a group, from whoever carries them and from a member who signs them: nothing throws, what is
/// refused leaves the state as it was to the byte, and nothing allocates beyond the input's size class. See
/// <see cref="FuzzRun"/> for longer runs.
/// </summary>
public sealed class GroupFuzzTests(ITestOutputHelper output) : IDisposable
{
    /// <summary>
    /// A commit's proposals are decoded, checked, signed over and applied, each step with structures of its own.
    /// </summary>
    private const int AllocatedPerByte = 256;

    /// <summary>Besides, a message may make this group's next epoch, or move a ratchet as far as it goes.</summary>
    private const int AllocatedBesides = 512 * 1024;
    private const string SaveVariable = "CHATPAY_FUZZ_SAVE";
    private const double Seconds = 2;
    private const int InsiderUses = 200;

    private readonly FuzzGroup _group = new();
    private int _uses;
    private long _most;

    [Fact]
    public void The_messages_are_accepted_as_they_are() => Assert.All(_group.Messages, message =>
    {
        _group.Reset();
        Assert.True(_group.Victim.TryProcess(message, out _, out var rejection), $"{rejection}");
    });

    /// <summary>
    /// The codec's corpus is these very messages, so that its seeds mean the same everywhere. Where the library has come to
    /// write others, <c>CHATPAY_FUZZ_SAVE=1</c> writes the file anew.
    /// </summary>
    [Fact]
    public void The_saved_corpus_holds_the_messages_of_this_group()
    {
        var written = WireCorpus.Write(
            [.. _group.Messages, _group.Welcome, _group.Info, _group.Outsider.Bundle.Message],
            [TlsCodec.Encode(_group.Victim.ExportTree())]);
        if (Environment.GetEnvironmentVariable(SaveVariable) == "1")
        {
            File.WriteAllText(Repository.PathOf(WireCorpus.SavedPath), written);
        }

        Assert.Equal(written, File.ReadAllText(Repository.PathOf(WireCorpus.SavedPath)));
    }

    [Fact]
    public void Mutated_messages_are_refused_and_change_nothing()
    {
        WireNode[] corpus = [.. Shapes()];
        Run(dice => new WireMutator(dice, corpus).MutateBytes(dice.Pick(corpus)), Process);
    }

    [Fact]
    public void Mutated_content_that_a_member_signs_is_refused_or_followed_and_else_changes_nothing()
    {
        WireNode[] corpus = [.. Shapes()];
        (FramedContent Content, WireNode Shape, byte[] Tag)[] contents =
        [
            .. _group.Messages.Select(static message => FuzzGroup.Decode(message).PublicMessage).OfType<PublicMessage>()
                .Select(static message => (
                    message.Content, (WireNode)ContentOf(message.Content), message.ConfirmationTag ?? new byte[32])),
        ];
        var insider = new Insider(_group);
        Run(
            dice =>
            {
                var (content, shape, tag) = dice.Pick(contents);
                var mutated = new WireMutator(dice, corpus).Mutate(shape).Encode();
                var format = dice.Chance(80) ? HandshakeFormat.Public : HandshakeFormat.Private;
                return TlsCodec.TryDecode<FramedContent>(mutated, out var decoded, out _)
                    ? insider.Send(decoded, tag, format) ?? mutated : mutated;
            },
            Process);
    }

    [Fact]
    public void Mutated_Welcomes_are_refused()
    {
        WireNode[] corpus = [WireGrammar.Message(_group.Welcome), WireGrammar.Message(_group.Info)];
        Run(dice => new WireMutator(dice, corpus).MutateBytes(corpus[0]), bytes =>
        {
            if (TlsCodec.TryDecode<MlsMessage>(bytes, out var message, out _) && message.Welcome is { } welcome)
            {
                Join(welcome, bytes.Length);
            }
        });
    }

    [Fact]
    public void Mutated_group_infos_and_secrets_that_an_inviter_seals_never_throw()
    {
        var info = WireGrammar.Message(_group.Info);
        WireNode[] corpus = [info, .. Shapes()];
        var secrets = WireGrammar.Secrets(TlsCodec.Encode(new GroupSecrets
        {
            JoinerSecret = new byte[32],
            PathSecret = new byte[32],
            PreSharedKeys = [],
        }));
        var insider = new Insider(_group);
        Run(
            dice =>
            {
                var mutator = new WireMutator(dice, corpus);
                var body = dice.Chance(70) ? mutator.Mutate(BodyOf(info)) : BodyOf(info);
                var part = dice.Chance(50) ? mutator.Mutate(secrets) : secrets;
                return TlsCodec.TryDecode<GroupInfo>(body.Encode(), out var decoded, out _)
                    && TlsCodec.TryDecode<GroupSecrets>(part.Encode(), out var opened, out _)
                    ? TlsCodec.Encode(new MlsMessage(insider.Welcome(decoded, opened))) : body.Encode();
            },
            bytes =>
            {
                if (TlsCodec.TryDecode<MlsMessage>(bytes, out var message, out _) && message.Welcome is { } welcome)
                {
                    Join(welcome, bytes.Length);
                }
            });
    }

    [Fact]
    public void Mutated_group_infos_that_a_member_signs_never_throw_for_who_joins_from_outside()
    {
        var info = WireGrammar.Message(_group.Info);
        WireNode[] corpus = [info, .. Shapes()];
        var insider = new Insider(_group);
        Run(
            dice =>
            {
                var mutator = new WireMutator(dice, corpus);
                var body = mutator.Mutate(BodyOf(info)).Encode();
                return TlsCodec.TryDecode<GroupInfo>(body, out var decoded, out _)
                    ? TlsCodec.Encode(insider.Sign(decoded)) : body;
            },
            bytes =>
            {
                if (TlsCodec.TryDecode<GroupInfo>(bytes, out var decoded, out _))
                {
                    Frugal(bytes.Length, () =>
                    {
                        Group.TryJoinExternally(
                            decoded, _group.Outsider.Member, _group.Outsider.Services, null, out var pending, out _);
                        pending?.Dispose();
                    });
                }
            });
    }

    [Fact]
    public void Damaged_stored_state_is_refused()
    {
        var (epoch, ratchets) = _group.StoredVictim();
        Assert.True(_group.TryLoadVictim(epoch, ratchets));
        Run(
            dice => new WireMutator(dice, []).Damage(dice.Chance(50) ? epoch : ratchets),
            bytes =>
            {
                Assert.True(!_group.TryLoadVictim(bytes, ratchets) || bytes.AsSpan().SequenceEqual(epoch));
                Assert.True(!_group.TryLoadVictim(epoch, bytes) || bytes.AsSpan().SequenceEqual(ratchets));
            });
    }

    public void Dispose() => _group.Dispose();

    private static StructNode ContentOf(FramedContent content) => (StructNode)BodyOf(
        WireGrammar.Message(TlsCodec.Encode(new MlsMessage(new PublicMessage
        {
            Content = content,
            Signature = [],
            ConfirmationTag = content.Commit is null ? null : [],
            MembershipTag = content.Sender.Type == SenderType.Member ? [] : null,
        })))).Children[0];

    private IEnumerable<WireNode> Shapes() => _group.Messages.Select(static message => WireGrammar.Message(message));

    /// <summary>What comes after version and wire format.</summary>
    private static WireNode BodyOf(WireNode message) => message.Children[2];

    private void Frugal(int inputBytes, Action work) => _most = Math.Max(
        _most, FuzzRun.AssertFrugal("It", inputBytes, AllocatedPerByte, AllocatedBesides, work));

    private void Run(Func<Dice, byte[]> make, Action<byte[]> attempt)
    {
        new FuzzRun(output, Seconds).Run(
            dice =>
            {
                // Private messages use the insider's keys up, and the victim looks only so far ahead.
                if (++_uses % InsiderUses == 0)
                {
                    _group.Reload();
                }

                return make(dice);
            },
            attempt);
        output.WriteLine($"at most {_most:N0} bytes allocated for one");
    }

    private void Process(byte[] bytes)
    {
        var before = _group.StateOfVictim();
        var isAccepted = false;
        Frugal(bytes.Length, () => isAccepted = _group.Victim.TryProcess(bytes, out _, out _));
        if (isAccepted)
        {
            _group.Reset();
        }

        Assert.Equal(before, _group.StateOfVictim());
    }

    private void Join(Welcome welcome, int inputBytes) => Frugal(inputBytes, () =>
    {
        Group.TryJoin(
            welcome, _group.Outsider.Bundle, _group.Outsider.Member, _group.Outsider.Services, out var joined, out _);
        joined?.Dispose();
    });
}
