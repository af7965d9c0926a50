using ChatPay.Core.Cryptography;
using ChatPay.Core.Mls;
using ChatPay.Tests.Support;

namespace ChatPay.Tests.Mls;

/// <summary>Members of one epoch, each with its own state, and an external sender; all out of one seed.</summary>
internal sealed class ProtectionScene : IDisposable
{
    public const uint AliceLeaf = 2;
    public const uint BobLeaf = 5;

    /// <summary>A leaf where nobody is.</summary>
    public const uint BlankLeaf = 3;

    private const uint Width = 8;
    private readonly Dice _dice;

    public ProtectionScene(MlsCipherSuite suite, ulong seed, int paddingBytes = 1)
    {
        _dice = new Dice(seed);
        Suite = suite;
        Context = new GroupContext
        {
            Version = ProtocolVersion.Mls10,
            CipherSuite = suite.Id,
            GroupId = Bytes(16),
            Epoch = 7,
            TreeHash = Bytes(suite.HashSize),
            ConfirmedTranscriptHash = Bytes(suite.HashSize),
            Extensions = [],
        };
        EpochSecret = Bytes(suite.HashSize);
        Alice = new ProtectionMember(this, AliceLeaf, NewKey(), paddingBytes);
        Bob = new ProtectionMember(this, BobLeaf, NewKey(), paddingBytes);
        Outsider = NewKey();
    }

    public MlsCipherSuite Suite { get; }

    public GroupContext Context { get; }

    public byte[] EpochSecret { get; }

    public ProtectionMember Alice { get; }

    public ProtectionMember Bob { get; }

    /// <summary>The signature key of the one external sender, and of whoever joins.</summary>
    public Key Outsider { get; }

    public static uint TreeWidth => Width;

    public byte[]? FindKey(SenderType type, uint index) => (type, index) switch
    {
        (SenderType.Member, AliceLeaf) => TestMls.PublicKeyOf(Alice.Key),
        (SenderType.Member, BobLeaf) => TestMls.PublicKeyOf(Bob.Key),
        (SenderType.External, 0) => TestMls.PublicKeyOf(Outsider),
        _ => null,
    };

    public void Random(Span<byte> destination)
    {
        foreach (ref var octet in destination)
        {
            octet = (byte)_dice.Next(256);
        }
    }

    public byte[] Bytes(int count)
    {
        var bytes = new byte[count];
        Random(bytes);
        return bytes;
    }

    /// <summary>A proposal or a commit of a sender in this epoch.</summary>
    public FramedContent Content(Sender sender, Proposal? proposal = null, Commit? commit = null, byte[]? data = null) => new()
    {
        GroupId = Context.GroupId,
        Epoch = Context.Epoch,
        Sender = sender,
        AuthenticatedData = [1, 2, 3],
        ContentType = proposal is not null ? ContentType.Proposal
            : commit is not null ? ContentType.Commit : ContentType.Application,
        Proposal = proposal,
        Commit = commit,
        ApplicationData = data,
    };

    public void Dispose()
    {
        Alice.Dispose();
        Bob.Dispose();
        Outsider.Dispose();
    }

    private Key NewKey() => Key.Import(Suite.SignatureAlgorithm, Bytes(32), KeyBlobFormat.RawPrivateKey);
}

/// <summary>One member's view of the scene's epoch.</summary>
internal sealed class ProtectionMember : IDisposable
{
    private readonly ProtectionScene _scene;
    private readonly int _paddingBytes;

    public ProtectionMember(ProtectionScene scene, uint leaf, Key key, int paddingBytes)
    {
        _scene = scene;
        _paddingBytes = paddingBytes;
        Leaf = leaf;
        Key = key;
        Secrets = EpochSecrets.FromEpochSecret(scene.Suite, scene.EpochSecret);
        Tree = Secrets.TakeSecretTree(ProtectionScene.TreeWidth);
        Protection = NewProtection();
    }

    public uint Leaf { get; }

    public Key Key { get; }

    public EpochSecrets Secrets { get; }

    public SecretTree Tree { get; private set; }

    public MessageProtection Protection { get; private set; }

    public Sender Sender => new() { Type = SenderType.Member, Index = Leaf };

    public byte[] Encrypt(byte[] data, byte[]? authenticatedData = null) =>
        Protection.EncryptApplication(data, authenticatedData ?? [], Key, _scene.Random);

    /// <summary>A commit or proposal of this member, signed, and with some confirmation tag where it needs one.</summary>
    public AuthenticatedContent Sign(WireFormat wireFormat, FramedContent content)
    {
        var signed = Protection.Sign(wireFormat, content, Key);
        return content.Commit is null ? signed : signed.WithConfirmationTag(_scene.Bytes(_scene.Suite.HashSize));
    }

    /// <summary>Opens and accepts a message.</summary>
    public MlsRejection Receive(byte[] message, out byte[]? data)
    {
        data = null;
        if (Protection.TryFromPrivate(message, _scene.FindKey, out var content, out var key, out var rejection))
        {
            data = content.Content.ApplicationData;
            Tree.Consume(key);
        }

        return rejection;
    }

    public MlsRejection Receive(byte[] message) => Receive(message, out _);

    public MlsRejection Receive(PublicMessage message, out AuthenticatedContent? content)
    {
        Protection.TryFromPublic(message, _scene.FindKey, out content, out var rejection);
        return rejection;
    }

    /// <summary>All state that messages move.</summary>
    public byte[] Save()
    {
        var writer = new TlsWriter();
        Tree.Write(writer);
        return writer.ToArray();
    }

    /// <summary>Goes back, or on, to a saved state.</summary>
    public void Restore(byte[] saved)
    {
        var reader = new TlsReader(saved);
        Tree.Dispose();
        Tree = SecretTree.Read(ref reader, _scene.Suite);
        reader.End();
        if (reader.Rejection != MlsRejection.None)
        {
            throw new InvalidOperationException($"The saved tree does not read: {reader.Rejection}.");
        }

        Protection = NewProtection();
    }

    public void Dispose()
    {
        Tree.Dispose();
        Secrets.Dispose();
        Key.Dispose();
    }

    private MessageProtection NewProtection() =>
        new(_scene.Suite, _scene.Context, Secrets, Tree, Leaf, _paddingBytes);
}
