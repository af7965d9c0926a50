using System.Diagnostics;
using System.Reflection;
using System.Runtime.CompilerServices;
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
    private const int Comparisons = 2_000;
    private const int SamplesFirst = 300;
    private const int Attempts = 5;

    private static int s_sink;

    /// <summary>What docs/VAULT.md names, and nothing that stops at the first difference.</summary>
    [Fact]
    public void The_step_that_releases_a_share_compares_by_FixedTimeEquals_alone()
    {
        var called = CalledBy(typeof(RealmSteps).GetMethod(nameof(RealmSteps.Release))!);
        Assert.Contains(
            called, method => method.DeclaringType == typeof(CryptographicOperations)
                && method.Name == nameof(CryptographicOperations.FixedTimeEquals));
        Assert.DoesNotContain(
            called, method => method.Name is "SequenceEqual" or "SequenceCompareTo" or "IndexOf" or "StartsWith");
    }

    /// <summary>
    /// Deliberately generous, and measured against a comparison that leaks, in the same run and interleaved with it: the
    /// medians of the function's times for equal tags, other first bytes and other last bytes lie within half of what the
    /// leaking one tells first and last byte apart by.
    ///
    /// For a false alarm something else on the machine would have to shift the median of one kind and not those of the others.
    /// Kinds come in random order, so a disturbance that hits a share q of all samples, below 0.4, would have to hit more than
    /// half of one kind's n: with probability below exp(-2n(0.5 - q)^2), Hoeffding's bound, 0.0025 for 300 samples. It fails
    /// only if that happens five times on end with n doubled each time, below exp(-6 (1 + 2 + 4 + 8 + 16)), which is 10^-80.
    /// </summary>
    [Fact]
    public void Comparing_takes_as_long_wherever_tags_differ()
    {
        var told = new List<string>();
        for (var (attempt, samples) = (0, SamplesFirst); attempt < Attempts; attempt++, samples *= 2)
        {
            var leaking = Medians(samples, Leaking);
            var fixedTime = Medians(samples, FixedTime);
            var leak = leaking[2] - leaking[1];
            var spread = fixedTime.Max() - fixedTime.Min();
            if (leak > 0 && spread < leak / 2)
            {
                return;
            }

            told.Add($"{samples} samples: leaking {string.Join('/', leaking)}, fixed {string.Join('/', fixedTime)}");
        }

        Assert.Fail(string.Join('\n', told));
    }

    /// <summary>Median ticks of so many comparisons: of equal tags, of others at the first byte, of others at the last.</summary>
    private static long[] Medians(int samples, Func<byte[], byte[], bool> compare)
    {
        var tag = RandomNumberGenerator.GetBytes(UnlockKey.TagSize);
        byte[][] others = [[.. tag], [.. tag], [.. tag]];
        others[1][0] ^= 1;
        others[2][^1] ^= 1;
        var times = new List<long>[Kinds];
        for (var kind = 0; kind < Kinds; kind++)
        {
            times[kind] = [];
            Measure(compare, tag, others[kind]);
        }

        for (var sample = 0; sample < samples * Kinds; sample++)
        {
            // As many of each kind, in an order that nothing else on the machine follows.
            int[] open = [.. Enumerable.Range(0, Kinds).Where(kind => times[kind].Count < samples)];
            var chosen = open[RandomNumberGenerator.GetInt32(open.Length)];
            times[chosen].Add(Measure(compare, tag, others[chosen]));
        }

        return [.. times.Select(list => list.Order().ElementAt(samples / 2))];
    }

    private static long Measure(Func<byte[], byte[], bool> compare, byte[] tag, byte[] other)
    {
        var begun = Stopwatch.GetTimestamp();
        for (var time = 0; time < Comparisons; time++)
        {
            s_sink += compare(tag, other) ? 1 : 0;
        }

        return Stopwatch.GetTimestamp() - begun;
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static bool FixedTime(byte[] tag, byte[] other) => CryptographicOperations.FixedTimeEquals(tag, other);

    /// <summary>What nobody must write: it ends at the first difference.</summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    private static bool Leaking(byte[] tag, byte[] other)
    {
        for (var at = 0; at < tag.Length; at++)
        {
            if (tag[at] != other[at])
            {
                return false;
            }
        }

        return true;
    }

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
