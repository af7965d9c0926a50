using System.Buffers.Binary;
using System.Security.Cryptography;
using ChatPay.Core.Protocol;

namespace ChatPay.Core.Cards;

/// <summary>
/// What the shares of a packet are, in the order in which they are taken. They follow from the packet's seed alone, to which its
/// author's server commits when it is posted and which it shows when the packet is over, so anybody can see that nobody was
/// favoured.
/// </summary>
/// <remarks>
/// By chance, by the double-mean rule: of what remains, R in k shares, the next one is uniform between 1 and ⌊2R / k⌋ − 1 (at
/// least 1, and at most what leaves one unit to each of the others); the last one is the rest. Numbers come from SHA-256 of
/// "chatpay packet v1 stream" ‖ seed ‖ counter (8), eight bytes each, those that would favour small remainders passed over.
/// </remarks>
public static class PacketShares
{
    public const int SeedSize = 32;

    private static ReadOnlySpan<byte> CommitLabel => "chatpay packet v1"u8;

    private static ReadOnlySpan<byte> StreamLabel => "chatpay packet v1 stream"u8;

    /// <summary>What is shown of the seed before the packet is over, 32 bytes.</summary>
    public static byte[] CommitTo(ReadOnlySpan<byte> seed) => SHA256.HashData([.. CommitLabel, .. seed]);

    /// <param name="seed">32 bytes; not looked at for a fixed packet.</param>
    /// <returns>As many as the count, each at least 1, together the total.</returns>
    /// <exception cref="ArgumentException">A total that is less than the count, or a seed of another size.</exception>
    public static long[] Divide(PacketMode mode, long totalMinor, int count, ReadOnlySpan<byte> seed)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(count);
        ArgumentOutOfRangeException.ThrowIfLessThan(totalMinor, count);
        if (mode == PacketMode.Fixed)
        {
            return SplitDivision.Equally(totalMinor, count);
        }

        if (seed.Length != SeedSize)
        {
            throw new ArgumentException($"A seed has {SeedSize} bytes.", nameof(seed));
        }

        var shares = new long[count];
        var stream = new Stream(seed);
        var rest = totalMinor;
        for (var index = 0; index < count - 1; index++)
        {
            var left = count - index;
            var most = Math.Min(((2 * (Int128)rest / left) - 1) is var mean && mean < 1 ? 1 : (long)mean, rest - (left - 1));
            shares[index] = 1 + stream.Below(most);
            rest -= shares[index];
        }

        shares[^1] = rest;
        return shares;
    }

    private ref struct Stream(ReadOnlySpan<byte> seed)
    {
        private readonly ReadOnlySpan<byte> _seed = seed;
        private readonly byte[] _block = new byte[SHA256.HashSizeInBytes];
        private int _at = SHA256.HashSizeInBytes;
        private ulong _counter;

        /// <summary>Uniform from 0 up to, and without, the bound.</summary>
        public long Below(long bound)
        {
            var wanted = (ulong)bound;
            var end = ulong.MaxValue - (((ulong.MaxValue % wanted) + 1) % wanted);
            ulong number;
            do
            {
                number = Next();
            }
            while (number > end);

            return (long)(number % wanted);
        }

        private ulong Next()
        {
            if (_at == _block.Length)
            {
                Span<byte> counter = stackalloc byte[sizeof(ulong)];
                BinaryPrimitives.WriteUInt64BigEndian(counter, _counter++);
                SHA256.HashData([.. StreamLabel, .. _seed, .. counter], _block);
                _at = 0;
            }

            var number = BinaryPrimitives.ReadUInt64BigEndian(_block.AsSpan(_at));
            _at += sizeof(ulong);
            return number;
        }
    }
}
