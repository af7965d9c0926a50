namespace ChatPay.Core.Mls;

/// <summary>An epoch as it is written into a sealed blob, without its message keys.</summary>
internal static class StateCodec
{
    public static void WriteEpoch(TlsWriter writer, GroupState state)
    {
        var known = state.Public;
        known.Context.Write(writer);
        writer.WriteOpaque(known.ConfirmationTag);
        known.Tree.ToWire().Write(writer);
        state.Keys.Write(writer);
        state.Secrets.Write(writer);
        writer.WriteByte(state.ReInit is null ? (byte)0 : (byte)1);
        if (state.ReInit is { } reInit)
        {
            ((Proposal)reInit).Write(writer);
        }
    }

    /// <summary>
    /// Reads what <see cref="WriteEpoch"/> wrote. It was sealed by this member, who validated it then, so it is not
    /// validated anew.
    /// </summary>
    /// <returns>Null where the reader has failed, or nothing coherent was written.</returns>
    public static StoredEpoch? ReadEpoch(ref TlsReader reader)
    {
        var context = GroupContext.Read(ref reader);
        var confirmationTag = reader.ReadOpaque();
        var wire = RatchetTree.Read(ref reader);
        if (reader.Rejection != MlsRejection.None
            || !MlsCipherSuite.TryGet(context.CipherSuite, out var suite)
            || !PublicTree.TryCreate(suite, wire, out var tree, out _)
            || !ContextExtensions.TryRead(context.Extensions, out var extensions, out _))
        {
            return null;
        }

        var keys = PrivateTree.Read(ref reader, suite);
        var secrets = EpochSecrets.Read(ref reader, suite);
        var reInit = reader.ReadPresence() ? Proposal.Read(ref reader) as ReInitProposal : null;
        if (keys is null)
        {
            secrets.Dispose();
            return null;
        }

        var tally = CapabilityTally.Of(tree.Members().Select(static member => member.Leaf));
        return new StoredEpoch(
            PublicState.Of(context, extensions, tree, tally, confirmationTag), keys, secrets, reInit);
    }
}

/// <summary>An epoch without its message keys.</summary>
internal sealed class StoredEpoch(PublicState known, PrivateTree keys, EpochSecrets secrets, ReInitProposal? reInit)
    : IDisposable
{
    public PublicState Public { get; } = known;

    public PrivateTree Keys { get; } = keys;

    public EpochSecrets Secrets { get; } = secrets;

    /// <summary>The epoch with its message keys, which owns all from now on.</summary>
    public GroupState With(SecretTree ratchets) =>
        new() { Public = Public, Keys = Keys, Secrets = Secrets, Ratchets = ratchets, ReInit = reInit };

    public void Dispose()
    {
        Keys.Dispose();
        Secrets.Dispose();
    }
}
