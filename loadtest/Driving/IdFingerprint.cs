using System.Runtime.InteropServices;

namespace ChatPay.LoadTest.Driving;

/// <summary>
/// A set of ids in 24 bytes: how many, and two sums of their mixed halves. Two sets with the same fingerprint are the same
/// set, but for a chance of about 2^-128; sums can be added and taken away, so callers keep their own and nobody keeps
/// millions of ids.
/// </summary>
internal readonly record struct IdFingerprint(long Count, ulong First, ulong Second)
{
    public static IdFingerprint operator +(IdFingerprint left, IdFingerprint right) => unchecked(
        new(left.Count + right.Count, left.First + right.First, left.Second + right.Second));

    public static IdFingerprint operator -(IdFingerprint left, IdFingerprint right) => unchecked(
        new(left.Count - right.Count, left.First - right.First, left.Second - right.Second));

    public static IdFingerprint Of(Guid id)
    {
        var words = MemoryMarshal.Cast<Guid, ulong>(MemoryMarshal.CreateReadOnlySpan(in id, 1));
        unchecked
        {
            var first = SplitMix64.Mix(words[0] + (SplitMix64.Mix(words[1]) * 3));
            return new(1, first, SplitMix64.Mix(words[1] ^ (first * 0x9E3779B97F4A7C15)));
        }
    }
}
