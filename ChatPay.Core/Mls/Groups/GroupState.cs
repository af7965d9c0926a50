using ChatPay.Core.Cryptography;

namespace ChatPay.Core.Mls;

/// <summary>
/// One epoch of a group as one member holds it. Only its ratchets move; the next epoch is another object, made beside
/// this one, so whatever goes wrong on the way there leaves this as it was.
/// </summary>
internal sealed class GroupState : IDisposable
{
    public required PublicState Public { get; init; }

    public required PrivateTree Keys { get; init; }

    public required EpochSecrets Secrets { get; init; }

    public required SecretTree Ratchets { get; init; }

    /// <summary>What the commit that began the epoch gave the group up for; null but in a group's last epoch.</summary>
    public ReInitProposal? ReInit { get; init; }

    public MlsCipherSuite Suite => Public.Suite;

    public GroupContext Context => Public.Context;

    public PublicTree Tree => Public.Tree;

    public uint OwnLeaf => Keys.Leaf;

    /// <summary>An epoch out of its parts, which it owns from now on.</summary>
    public static GroupState Begin(
        PublicState known, PrivateTree keys, EpochSecrets secrets, ReInitProposal? reInit = null) => new()
        {
            Public = known,
            Keys = keys,
            Secrets = secrets,
            Ratchets = secrets.TakeSecretTree(known.Tree.Width),
            ReInit = reInit,
        };

    /// <summary>A signed GroupInfo of this epoch, RFC 9420 section 12.4.3.</summary>
    public GroupInfo SignInfo(Key signatureKey, bool withTree, bool withExternalPub)
    {
        var extensions = new List<Extension>();
        if (withExternalPub)
        {
            var (privateKey, publicKey) = Secrets.DeriveExternalKeyPair();
            privateKey.Dispose();
            extensions.Add(ExternalPub.ToExtension(publicKey));
        }

        if (withTree)
        {
            extensions.Add(new() { Type = ExtensionType.RatchetTree, Data = TlsCodec.Encode(Tree.ToWire()) });
        }

        return Build(GroupInfoValidation.Sign(Build([]), Suite, signatureKey));

        GroupInfo Build(byte[] signature) => new()
        {
            Context = Context,
            Extensions = extensions,
            ConfirmationTag = Public.ConfirmationTag,
            Signer = OwnLeaf,
            Signature = signature,
        };
    }

    public void Dispose()
    {
        Keys.Dispose();
        Secrets.Dispose();
        Ratchets.Dispose();
    }
}
