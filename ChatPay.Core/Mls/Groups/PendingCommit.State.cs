using System.Diagnostics.CodeAnalysis;
using ChatPay.Core.Cryptography;

namespace ChatPay.Core.Mls;

/// <content>A commit at rest.</content>
public sealed partial class PendingCommit
{
    /// <summary>Seals the commit with the epoch that it begins, to be saved before it is sent.</summary>
    /// <exception cref="ObjectDisposedException">The commit was applied or dropped.</exception>
    public byte[] Save(StorageKey key, FillRandom random)
    {
        ArgumentNullException.ThrowIfNull(key);
        ArgumentNullException.ThrowIfNull(random);
        var next = Next;
        var writer = new TlsWriter(1024);
        writer.WriteOptional(Before is null ? null : new OptionalBytes(Before));
        writer.WriteOpaque(Message);
        writer.WriteOptional(Welcome is null ? null : new OptionalBytes(Welcome));
        StateCodec.WriteEpoch(writer, next);
        next.Ratchets.Write(writer);
        var blob = key.Seal(StateKind.PendingCommit, new StatePlace(GroupId, Epoch), writer.WrittenSpan, random);
        writer.Clear();
        return blob;
    }

    /// <summary>Opens what <see cref="Save"/> sealed.</summary>
    /// <param name="identity">The member as it is after the commit.</param>
    /// <param name="rejection">
    /// <see cref="MlsRejection.StateVersionUnknown"/>, <see cref="MlsRejection.StateKindWrong"/> or
    /// <see cref="MlsRejection.StateUnreadable"/>.
    /// </param>
    /// <exception cref="ArgumentException">The commit is of another member.</exception>
    public static bool TryLoad(
        ReadOnlySpan<byte> blob, StorageKey key, MlsMember identity, MlsServices services,
        [NotNullWhen(true)] out PendingCommit? pending, out MlsRejection rejection)
    {
        ArgumentNullException.ThrowIfNull(key);
        ArgumentNullException.ThrowIfNull(identity);
        MlsServices.Validate(services);
        pending = null;
        if (!key.TryOpen(blob, StateKind.PendingCommit, out _, out var state, out rejection))
        {
            return false;
        }

        using (state)
        {
            pending = Read(state.Span, identity, services);
        }

        rejection = pending is null ? MlsRejection.StateUnreadable : MlsRejection.None;
        if (pending is null || pending.IsOf(identity))
        {
            return pending is not null;
        }

        pending.Dispose();
        throw new ArgumentException("The commit is of another member.", nameof(identity));
    }

    private static PendingCommit? Read(ReadOnlySpan<byte> state, MlsMember identity, MlsServices services)
    {
        var reader = TlsReader.OfState(state);
        var before = reader.ReadOptional<OptionalBytes>();
        var message = reader.ReadOpaque();
        var welcome = reader.ReadOptional<OptionalBytes>();
        var epoch = StateCodec.ReadEpoch(ref reader);
        if (epoch is null)
        {
            return null;
        }

        var next = epoch.With(SecretTree.Read(ref reader, epoch.Public.Suite));
        reader.End();
        if (reader.Rejection == MlsRejection.None)
        {
            return new PendingCommit(next, identity, services, before?.Bytes, message, welcome?.Bytes);
        }

        next.Dispose();
        return null;
    }

    private bool IsOf(MlsMember identity) =>
        Next.Tree.Leaf(OwnLeaf) is { } leaf && leaf.SignatureKey.AsSpan().SequenceEqual(identity.PublicSignatureKey);

    /// <summary><c>optional&lt;opaque&lt;V&gt;&gt;</c>.</summary>
    private sealed class OptionalBytes(byte[] bytes) : ITlsStructure<OptionalBytes>
    {
        public byte[] Bytes { get; } = bytes;

        public static OptionalBytes Read(ref TlsReader reader) => new(reader.ReadOpaque());

        public void Write(TlsWriter writer) => writer.WriteOpaque(Bytes);
    }
}
