using System.Security.Cryptography;
using ChatPay.Core.Mls;

namespace ChatPay.Tests.Mls;

/// <summary>
/// A group in one epoch: a victim, to whom everything is sent, and a member who may send anything, because it has the
/// group's keys. All of it is the same in every run.
/// </summary>
internal sealed class FuzzGroup : IDisposable
{
    private readonly FuzzPerson[] _people;
    private readonly StorageKey _key = StorageKey.Import(SHA256.HashData("storage"u8));
    private readonly FuzzPerson _victim = new("victim");
    private readonly byte[] _victimEpoch;
    private readonly byte[] _victimRatchets;
    private readonly byte[] _insiderEpoch;
    private readonly byte[] _insiderRatchets;

    public FuzzGroup()
    {
        Outsider = new FuzzPerson("outsider");
        Insider = new FuzzPerson("insider");
        var (founder, third) = (new FuzzPerson("founder"), new FuzzPerson("third"));
        _people = [Outsider, Insider, _victim, founder, third];
        using var group = Group.Create(Suite, SHA256.HashData("group"u8), founder.Member, founder.Services);
        using var added = group.Commit(Adds(_victim, Insider, third));
        var (victim, insider) = (_victim.Join(added.Welcome!), Insider.Join(added.Welcome!));
        using var thirdGroup = third.Join(added.Welcome!);
        group.Apply(added);

        // A tree with keys in it, and epochs to look back at.
        foreach (var committer in new[] { thirdGroup, insider, victim, insider })
        {
            using var update = committer.Commit();
            foreach (var other in new[] { group, victim, insider, thirdGroup }.Where(other => other != committer))
            {
                Follow(other, update.Message);
            }

            committer.Apply(update);
        }

        (_victimEpoch, _victimRatchets) = Save(victim);
        (_insiderEpoch, _insiderRatchets) = Save(insider);
        (Victim, InsiderGroup) = (victim, insider);
        Messages = Make();
        Reset();
        Reload();
    }

    public static MlsCipherSuite Suite => MlsCipherSuite.X25519Aes128Gcm;

    /// <summary>Is in no group, and may come into this one.</summary>
    public FuzzPerson Outsider { get; }

    public FuzzPerson Insider { get; }

    public Group Victim { get; private set; }

    public Group InsiderGroup { get; private set; }

    /// <summary>All kinds of messages that the victim would accept in its epoch, but not all one after the other.</summary>
    public IReadOnlyList<byte[]> Messages { get; }

    /// <summary>A Welcome for the outsider.</summary>
    public byte[] Welcome { get; private set; } = [];

    /// <summary>A GroupInfo of the epoch as an MLSMessage.</summary>
    public byte[] Info { get; private set; } = [];

    public static MlsMessage Decode(ReadOnlySpan<byte> message) =>
        TlsCodec.TryDecode<MlsMessage>(message, out var decoded, out var rejection)
            ? decoded : throw new InvalidOperationException($"{rejection}");

    /// <summary>The victim's whole state, the same bytes for the same state.</summary>
    public byte[] StateOfVictim() => [.. Victim.SaveEpoch(_key, NoRandom), .. Victim.SaveRatchets(_key, NoRandom)];

    /// <summary>Puts the victim back into the state in which it accepts the messages.</summary>
    public void Reset() => Victim = Load(Victim, _victim, _victimEpoch, _victimRatchets);

    /// <summary>Gives the insider its unused message keys back.</summary>
    public void Reload() => InsiderGroup = Load(InsiderGroup, Insider, _insiderEpoch, _insiderRatchets);

    /// <summary>What a start of the victim reads; changed by whoever can write to its store.</summary>
    public bool TryLoadVictim(ReadOnlySpan<byte> epoch, ReadOnlySpan<byte> ratchets)
    {
        var isLoaded = Group.TryLoad(epoch, ratchets, _key, _victim.Member, _victim.Services, out var group, out _);
        group?.Dispose();
        return isLoaded;
    }

    public (byte[] Epoch, byte[] Ratchets) StoredVictim() => (_victimEpoch, _victimRatchets);

    public void Dispose()
    {
        Victim.Dispose();
        InsiderGroup.Dispose();
        Array.ForEach(_people, static person => person.Dispose());
        _key.Dispose();
    }

    private static void NoRandom(Span<byte> destination) => destination.Clear();

    private static void Follow(Group group, byte[] message)
    {
        if (!group.TryProcess(message, out _, out var rejection))
        {
            throw new InvalidOperationException($"{rejection}");
        }
    }

    private static MlsCommitRequest Adds(params IReadOnlyList<FuzzPerson> people) => new()
    {
        Proposals = [.. people.Select(static person => new AddProposal { KeyPackage = person.Bundle.KeyPackage })],
        ForcePath = true,
    };

    private (byte[] Epoch, byte[] Ratchets) Save(Group group) =>
        (group.SaveEpoch(_key, NoRandom), group.SaveRatchets(_key, NoRandom));

    private Group Load(Group current, FuzzPerson person, byte[] epoch, byte[] ratchets)
    {
        current.Dispose();
        return Group.TryLoad(epoch, ratchets, _key, person.Member, person.Services, out var group, out var rejection)
            ? group : throw new InvalidOperationException($"{rejection}");
    }

    private List<byte[]> Make()
    {
        List<byte[]> messages =
        [
            InsiderGroup.Encrypt("hello"u8, "bound"u8), InsiderGroup.Encrypt([], []),
            InsiderGroup.Encrypt(new byte[700], []),
            Group.ProposeJoin(InsiderGroup.GroupId, InsiderGroup.Epoch, Outsider.Bundle, Outsider.Member),
        ];
        foreach (var format in new[] { HandshakeFormat.Public, HandshakeFormat.Private })
        {
            foreach (var proposal in Proposals())
            {
                messages.Add(InsiderGroup.Propose(proposal, format));
                InsiderGroup.DropProposals();
                using var commit = InsiderGroup.Commit(
                    new() { Proposals = [proposal], Format = format, ForcePath = true });
                messages.Add(commit.Message);
                Welcome = commit.Welcome ?? Welcome;
            }

            messages.Add(InsiderGroup.ProposeUpdate(null, format));
            InsiderGroup.DropProposals();
            using var update = InsiderGroup.Commit(new() { Format = format });
            messages.Add(update.Message);
            using var mixed = InsiderGroup.Commit(new()
            {
                Proposals = [.. Proposals().Where(static proposal => proposal is not ReInitProposal)],
                Format = format,
            });
            messages.Add(mixed.Message);
        }

        Info = InsiderGroup.GroupInfoMessage(withTree: true, withExternalPub: true);
        if (!Group.TryJoinExternally(
            Decode(Info).GroupInfo!, Outsider.Member, Outsider.Services, null, out var external, out var rejection))
        {
            throw new InvalidOperationException($"{rejection}");
        }

        using (external)
        {
            messages.Add(external.Message);
        }

        return messages;
    }

    /// <summary>One of each kind that a member commits by value.</summary>
    private Proposal[] Proposals()
    {
        byte[] nonce = SHA256.HashData("nonce"u8);
        return
        [
            new AddProposal { KeyPackage = Outsider.Bundle.KeyPackage },
            new RemoveProposal { Removed = 3 },
            new PreSharedKeyProposal { Psk = new ExternalPskId { Id = FuzzPerson.PskId, Nonce = nonce } },
            new PreSharedKeyProposal
            {
                Psk = new ResumptionPskId
                {
                    Usage = ResumptionPskUsage.Application,
                    GroupId = InsiderGroup.GroupId,
                    Epoch = InsiderGroup.Epoch - 1,
                    Nonce = nonce,
                },
            },
            new GroupContextExtensionsProposal
            {
                Extensions =
                [
                    new Extension
                    {
                        Type = ExtensionType.ExternalSenders,
                        Data = ExternalSenders(),
                    },
                ],
            },
            new ReInitProposal
            {
                GroupId = SHA256.HashData("next"u8),
                Version = ProtocolVersion.Mls10,
                CipherSuite = MlsCipherSuite.X25519ChaCha20Poly1305.Id,
                Extensions = [],
            },
        ];
    }

    private byte[] ExternalSenders()
    {
        var writer = new TlsWriter();
        var mark = writer.BeginVector();
        writer.WriteOpaque(Outsider.Member.PublicSignatureKey);
        Outsider.Member.Credential.Write(writer);
        writer.EndVector(mark);
        return writer.ToArray();
    }
}
