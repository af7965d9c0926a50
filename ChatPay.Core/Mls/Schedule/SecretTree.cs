using System.Security.Cryptography;
using ChatPay.Core.Cryptography;

namespace ChatPay.Core.Mls;

/// <summary>
/// The message keys of an epoch, RFC 9420 section 9: a tree of secrets whose leaves begin the senders' ratchets.
/// </summary>
/// <remarks>
/// <para>
/// The tree is lazy. It begins as its root alone; a sender's first message takes the way down to its leaf, which costs two
/// derivations a level, and leaves behind the secrets beside the way. Those on the way are consumed and zeroed, so at any
/// time exactly the secrets are kept from which no consumed key follows.
/// </para>
/// <para>
/// Receiving has two steps, because a message whose sender data names a key may still be forged: <see cref="TryKey"/> looks
/// a key up and changes nothing; <see cref="Consume"/>, called when the message proved genuine, deletes the key and moves
/// the ratchet. Sending has one: <see cref="NextKey"/> moves on before the key is known to anybody.
/// </para>
/// <para>Nodes are numbered like a heap's: 1 is the root, 2n and 2n + 1 are the children of n, width + leaf is a leaf.</para>
/// </remarks>
internal sealed class SecretTree : IDisposable
{
    private const uint Root = 1;
    private static readonly byte[] s_left = "left"u8.ToArray();
    private static readonly byte[] s_right = "right"u8.ToArray();

    private readonly MlsCipherSuite _suite;
    private readonly Dictionary<uint, Secret> _nodes = [];
    private readonly Dictionary<uint, LeafRatchets> _leaves = [];

    /// <param name="width">Leaves of the ratchet tree, blank ones included: a power of two.</param>
    public SecretTree(MlsCipherSuite suite, ReadOnlySpan<byte> encryptionSecret, uint width)
        : this(suite, width) => _nodes.Add(Root, Secret.Copy(encryptionSecret));

    private SecretTree(MlsCipherSuite suite, uint width)
    {
        if (!IsWidth(width))
        {
            throw new ArgumentOutOfRangeException(nameof(width), width, "A tree's width is a power of two.");
        }

        _suite = suite;
        Width = width;
    }

    public uint Width { get; }

    /// <summary>
    /// Takes the next key of this member's own ratchet. When it returns, the ratchet has moved on: no two calls give the
    /// same key.
    /// </summary>
    /// <param name="key">Filled with the AEAD key; the caller zeroes it.</param>
    /// <param name="nonce">Filled with the AEAD nonce.</param>
    /// <returns>The key's generation.</returns>
    /// <exception cref="InvalidOperationException">All 2^32 generations of the epoch are used.</exception>
    public uint NextKey(uint leaf, ContentType contentType, Span<byte> key, Span<byte> nonce)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(leaf, Width);
        return Ratchets(leaf)[contentType].Next(key, nonce);
    }

    /// <summary>Looks up the key of a received message; nothing changes until <see cref="Consume"/>.</summary>
    /// <param name="key">Filled with the AEAD key; the caller zeroes it.</param>
    /// <param name="nonce">Filled with the AEAD nonce.</param>
    /// <param name="rejection">
    /// <see cref="MlsRejection.LeafUnknown"/>, <see cref="MlsRejection.GenerationUsed"/>,
    /// <see cref="MlsRejection.GenerationTooOld"/> or <see cref="MlsRejection.GenerationTooFar"/>.
    /// </param>
    public bool TryKey(MessageKeyId id, Span<byte> key, Span<byte> nonce, out MlsRejection rejection)
    {
        if (id.Leaf >= Width)
        {
            rejection = MlsRejection.LeafUnknown;
            return false;
        }

        if (_leaves.TryGetValue(id.Leaf, out var ratchets))
        {
            return ratchets[id.ContentType].TryKey(id.Generation, key, nonce, out rejection);
        }

        // The ratchets of a first message are made for the look-up only, without leaving a trace in the tree.
        using var provisional = PeekRatchets(id.Leaf);
        return provisional[id.ContentType].TryKey(id.Generation, key, nonce, out rejection);
    }

    /// <summary>Deletes a key that <see cref="TryKey"/> found and that opened a genuine message.</summary>
    /// <exception cref="InvalidOperationException">There is no such key, or no longer.</exception>
    public void Consume(MessageKeyId id)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(id.Leaf, Width, nameof(id));
        Ratchets(id.Leaf)[id.ContentType].Consume(id.Generation);
    }

    /// <summary>Reads what <see cref="Write"/> wrote.</summary>
    public static SecretTree Read(ref TlsReader reader, MlsCipherSuite suite)
    {
        var width = reader.ReadUInt32();
        if (!IsWidth(width))
        {
            reader.Fail(MlsRejection.StateInvalid);
            width = 1;
        }

        var tree = new SecretTree(suite, width);
        var scope = reader.EnterVector();
        while (reader.HasMore)
        {
            var node = reader.ReadUInt32();
            var secret = new Secret(suite.HashSize);
            reader.ReadFixedSpan(suite.HashSize).CopyTo(secret.Span);
            if (node < Root || node >= 2 * width || !tree._nodes.TryAdd(node, secret))
            {
                secret.Dispose();
                reader.Fail(MlsRejection.StateInvalid);
            }
        }

        reader.LeaveVector(scope);
        scope = reader.EnterVector();
        while (reader.HasMore)
        {
            var leaf = reader.ReadUInt32();
            var ratchets = LeafRatchets.Read(ref reader, suite);
            if (leaf >= width || !tree._leaves.TryAdd(leaf, ratchets))
            {
                ratchets.Dispose();
                reader.Fail(MlsRejection.StateInvalid);
            }
        }

        reader.LeaveVector(scope);
        return tree;
    }

    /// <summary>Writes the secrets that are there, which are those beside the ways taken; the caller clears the writer.</summary>
    public void Write(TlsWriter writer)
    {
        writer.WriteUInt32(Width);
        var mark = writer.BeginVector();
        foreach (var (node, secret) in _nodes)
        {
            writer.WriteUInt32(node);
            writer.WriteFixed(secret.Span);
        }

        writer.EndVector(mark);
        mark = writer.BeginVector();
        foreach (var (leaf, ratchets) in _leaves)
        {
            writer.WriteUInt32(leaf);
            ratchets.Write(writer);
        }

        writer.EndVector(mark);
    }

    public void Dispose()
    {
        foreach (var secret in _nodes.Values)
        {
            secret.Dispose();
        }

        foreach (var ratchets in _leaves.Values)
        {
            ratchets.Dispose();
        }

        _nodes.Clear();
        _leaves.Clear();
    }

    private static bool IsWidth(uint width) => width is > 0 and <= MlsLimits.Leaves && uint.IsPow2(width);

    /// <summary>The leaf's ratchets; at their first use the way down to the leaf is taken and its secrets are consumed.</summary>
    private LeafRatchets Ratchets(uint leaf)
    {
        if (_leaves.TryGetValue(leaf, out var ratchets))
        {
            return ratchets;
        }

        var target = Width + leaf;
        var node = StoredAncestor(target, out var levels);
        _nodes.Remove(node, out var secret);
        while (levels > 0)
        {
            levels--;
            using var parent = secret!;
            var onWay = target >> levels;
            secret = DeriveChild(parent.Span, onWay);
            _nodes.Add(onWay ^ 1, DeriveChild(parent.Span, onWay ^ 1));
        }

        using (secret)
        {
            ratchets = LeafRatchets.FromLeafSecret(_suite, secret!.Span);
        }

        _leaves.Add(leaf, ratchets);
        return ratchets;
    }

    private LeafRatchets PeekRatchets(uint leaf)
    {
        var target = Width + leaf;
        var node = StoredAncestor(target, out var levels);
        Span<byte> secret = stackalloc byte[_suite.HashSize];
        _nodes[node].Span.CopyTo(secret);
        while (levels > 0)
        {
            levels--;
            using var child = DeriveChild(secret, target >> levels);
            child.Span.CopyTo(secret);
        }

        var ratchets = LeafRatchets.FromLeafSecret(_suite, secret);
        CryptographicOperations.ZeroMemory(secret);
        return ratchets;
    }

    /// <summary>
    /// The nearest node above (or at) the target whose secret is kept; there is one until the leaf is consumed.
    /// </summary>
    private uint StoredAncestor(uint target, out int levels)
    {
        levels = 0;
        while (target >= Root)
        {
            if (_nodes.ContainsKey(target))
            {
                return target;
            }

            target >>= 1;
            levels++;
        }

        throw new ObjectDisposedException(nameof(SecretTree));
    }

    private Secret DeriveChild(ReadOnlySpan<byte> parent, uint child)
    {
        var secret = new Secret(_suite.HashSize);
        _suite.ExpandWithLabel(parent, "tree", (child & 1) == 0 ? s_left : s_right, secret.Span);
        return secret;
    }

    /// <summary>A sender's two ratchets, section 9.1.</summary>
    private sealed class LeafRatchets(SecretRatchet handshake, SecretRatchet application) : IDisposable
    {
        public SecretRatchet this[ContentType type] => type == ContentType.Application ? application : handshake;

        public static LeafRatchets FromLeafSecret(MlsCipherSuite suite, ReadOnlySpan<byte> leafSecret)
        {
            var handshake = new Secret(suite.HashSize);
            var application = new Secret(suite.HashSize);
            suite.ExpandWithLabel(leafSecret, "handshake", [], handshake.Span);
            suite.ExpandWithLabel(leafSecret, "application", [], application.Span);
            return new LeafRatchets(new SecretRatchet(suite, handshake), new SecretRatchet(suite, application));
        }

        public static LeafRatchets Read(ref TlsReader reader, MlsCipherSuite suite)
        {
            var handshake = SecretRatchet.Read(ref reader, suite);
            return new LeafRatchets(handshake, SecretRatchet.Read(ref reader, suite));
        }

        public void Write(TlsWriter writer)
        {
            handshake.Write(writer);
            application.Write(writer);
        }

        public void Dispose()
        {
            handshake.Dispose();
            application.Dispose();
        }
    }
}
