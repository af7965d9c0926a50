using System.Diagnostics;
using System.Reflection;
using System.Security.Cryptography;
using ChatPay.Core.Vault;
using Xunit;

namespace ChatPay.Tests.Vault;

/// <summary>
/// A realm takes as long to refuse a tag whose first byte is wrong as one whose last byte is: else a device could find the
/// right one byte by byte.
/// </summary>
public sealed class TagComparisonTests
{
    private const int Kinds = 3;
    private const int LongBytes = 1 << 18;
    private const int SamplesFirst = 25;
    private const int Attempts = 5;

    /// <summary>So many times as long the longest may take; what stops early is thousands of times as quick.</summary>
    private const int Slack = 8;

    private static int s_sink;

    /// <summary>What docs/VAULT.md names, and nothing that stops at the first difference.</summary>
    [Fact]
    public void The_step_that_releases_a_share_compares_by_FixedTimeEquals_alone()
    {
        var release = CalledBy(typeof(RealmSteps).GetMethod(nameof(RealmSteps.Release))!);
        var compare = typeof(RealmSteps).GetMethod(nameof(RealmSteps.IsTag), BindingFlags.NonPublic | BindingFlags.Static)!;
        Assert.Contains(compare, release);
        var called = CalledBy(compare);
        Assert.Contains(
            called, method => method.DeclaringType == typeof(CryptographicOperations)
                && method.Name == nameof(CryptographicOperations.FixedTimeEquals));
        Assert.DoesNotContain(
            release.Concat(called),
            method => method.Name is "SequenceEqual" or "SequenceCompareTo" or "IndexOf" or "StartsWith");
    }

    /// <summary>
    /// The realm's own comparison, over a quarter of a megabyte, so that whatever ends at the first difference ends thousands of
    /// times as early: the shortest times for equal ones, others at the first byte and others at the last are within eight
    /// times of each other.
    ///
    /// Nothing on the machine makes a comparison quicker than it is, so the shortest time of each kind is at least what the work
    /// takes; for a false alarm all samples of one kind would have to take eight times as long, and none of another's that are
    /// taken in turn with them, five times on end with twice as many samples each time.
    /// </summary>
    [Fact]
    public void Comparing_takes_as_long_wherever_tags_differ()
    {
        Assert.False(IsAsLong(Leaking, out _));
        Assert.True(IsAsLong(static (one, other) => RealmSteps.IsTag(one, other), out var told), told);
    }

    /// <summary>The one thing that a comparison is for.</summary>
    [Fact]
    public void Only_the_same_tag_is_the_same()
    {
        var tag = RandomNumberGenerator.GetBytes(UnlockKey.TagSize);
        Assert.True(RealmSteps.IsTag(tag, [.. tag]));
        Assert.False(RealmSteps.IsTag(tag, tag.AsSpan(1)));
        for (var bit = 0; bit < tag.Length * 8; bit++)
        {
            byte[] other = [.. tag];
            other[bit / 8] ^= (byte)(1 << (bit % 8));
            Assert.False(RealmSteps.IsTag(tag, other));
        }
    }

    private static bool IsAsLong(Func<byte[], byte[], bool> compare, out string told)
    {
        var all = new List<string>();
        for (var (attempt, samples) = (0, SamplesFirst); attempt < Attempts; attempt++, samples *= 2)
        {
            var shortest = Shortest(samples, compare);
            all.Add($"{samples} samples: {string.Join('/', shortest)} ticks");
            if (shortest.Max() <= Slack * shortest.Min())
            {
                told = "";
                return true;
            }
        }

        told = string.Join('\n', all);
        return false;
    }

    /// <summary>Ticks of the quickest comparison: of equal ones, of others at the first byte, of others at the last.</summary>
    private static long[] Shortest(int samples, Func<byte[], byte[], bool> compare)
    {
        var bytes = RandomNumberGenerator.GetBytes(LongBytes);
        byte[][] others = [[.. bytes], [.. bytes], [.. bytes]];
        others[1][0] ^= 1;
        others[2][^1] ^= 1;
        long[] shortest = [long.MaxValue, long.MaxValue, long.MaxValue];
        for (var sample = 0; sample < samples; sample++)
        {
            for (var kind = 0; kind < Kinds; kind++)
            {
                var begun = Stopwatch.GetTimestamp();
                s_sink += compare(bytes, others[kind]) ? 1 : 0;
                shortest[kind] = Math.Min(shortest[kind], Math.Max(1, Stopwatch.GetTimestamp() - begun));
            }
        }

        return shortest;
    }

    /// <summary>What nobody must write: it ends at the first difference.</summary>
    private static bool Leaking(byte[] one, byte[] other) => one.AsSpan().SequenceEqual(other);

    /// <summary>The methods that a method's instructions name: every four bytes that are a token of one.</summary>
    private static List<MethodBase> CalledBy(MethodInfo method)
    {
        var code = method.GetMethodBody()!.GetILAsByteArray()!;
        var called = new List<MethodBase>();
        for (var at = 0; at + 1 + sizeof(int) <= code.Length; at++)
        {
            if (code[at] is 0x28 or 0x6F && Resolve(method.Module, BitConverter.ToInt32(code, at + 1)) is { } found)
            {
                called.Add(found);
            }
        }

        return called;
    }

    private static MethodBase? Resolve(Module module, int token)
    {
        try
        {
            return (token >> 24) is 0x06 or 0x0A or 0x2B ? module.ResolveMethod(token) : null;
        }
        catch (Exception none) when (none is ArgumentException or BadImageFormatException)
        {
            return null;
        }
    }
}
