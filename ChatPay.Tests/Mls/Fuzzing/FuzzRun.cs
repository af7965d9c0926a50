using System.Diagnostics;
using System.Globalization;
using System.Security.Cryptography;
using ChatPay.Tests.Support;
using Xunit;

namespace ChatPay.Tests.Mls;

/// <summary>
/// Tries inputs until the time is over. Each is made from the seed and its number alone, so that a failure names what it
/// takes to see it again. <c>CHATPAY_FUZZ_SECONDS</c> runs each target longer, <c>CHATPAY_FUZZ_SEED</c> sets the seed.
/// </summary>
internal sealed class FuzzRun
{
    private const string SecondsVariable = "CHATPAY_FUZZ_SECONDS";
    private const string SeedVariable = "CHATPAY_FUZZ_SEED";
    private const string FirstVariable = "CHATPAY_FUZZ_FIRST";
    private const int ShownBytes = 8192;

    private readonly ITestOutputHelper _output;
    private readonly ulong _seed;
    private readonly long _first;
    private readonly TimeSpan _time;

    public FuzzRun(ITestOutputHelper output, double seconds)
    {
        _output = output;
        _time = TimeSpan.FromSeconds(Named(SecondsVariable) is { } longer ? longer : seconds);
        _seed = Named(SeedVariable) ?? (ulong)RandomNumberGenerator.GetInt32(int.MaxValue);
        _first = (long)(Named(FirstVariable) ?? 0);
        output.WriteLine($"{SeedVariable}={_seed}");
    }

    /// <param name="make">Makes an input out of the dice.</param>
    /// <param name="attempt">Fails, in whatever way, where the input was not dealt with as it must be.</param>
    public void Run(Func<Dice, byte[]> make, Action<byte[]> attempt)
    {
        var clock = Stopwatch.StartNew();
        var number = _first;
        for (; clock.Elapsed < _time; number++)
        {
            var dice = new Dice(unchecked((_seed * 0x9E3779B97F4A7C15) + (ulong)number));
            var input = make(dice);
            try
            {
                attempt(input);
            }
            catch (Exception failure)
            {
                throw new InvalidOperationException(
                    $"{SeedVariable}={_seed} {FirstVariable}={number}: {failure.Message} Input: "
                    + Convert.ToHexString(input.AsSpan(0, Math.Min(input.Length, ShownBytes))), failure);
            }
        }

        _output.WriteLine($"{number - _first} inputs");
    }

    /// <summary>
    /// Fails where the work allocates more than so much for each byte of its input, and so much besides; else says how
    /// much it was.
    /// </summary>
    public static long AssertFrugal(string what, int inputBytes, int perByte, int besides, Action work)
    {
        var before = GC.GetAllocatedBytesForCurrentThread();
        work();
        var allocated = GC.GetAllocatedBytesForCurrentThread() - before;
        var limit = ((long)perByte * inputBytes) + besides;
        Assert.True(allocated <= limit, $"{what} allocated {allocated} bytes for {inputBytes}; {limit} are allowed.");
        return allocated;
    }

    private static ulong? Named(string variable) =>
        Environment.GetEnvironmentVariable(variable) is { Length: > 0 } text
            ? ulong.Parse(text, CultureInfo.InvariantCulture) : null;
}
