namespace ChatPay.LoadTest;

/// <summary>Measures what ChatPay holds, each result beside a baseline from the same run.</summary>
internal static class Program
{
    private static Task<int> Main(string[] args) => CommandLine.RunAsync(args, Console.Out);
}
