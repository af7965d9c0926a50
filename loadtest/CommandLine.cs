using System.CommandLine;
using System.Runtime.InteropServices;
using ChatPay.LoadTest.Baselines;
using ChatPay.LoadTest.Scenarios;
using ChatPay.Server.Hosting;

namespace ChatPay.LoadTest;

/// <summary>The scenarios and their options, each with its bounds.</summary>
internal static class CommandLine
{
    /// <returns>0, or 1 where an invariant failed or the run could not be made; 2 for a slip on the command line.</returns>
    public static async Task<int> RunAsync(IReadOnlyList<string> args, TextWriter output)
    {
        using var stop = new CancellationTokenSource();
        void Stop(PosixSignalContext signal)
        {
            signal.Cancel = true;
            stop.Cancel();
        }

        using var interrupt = PosixSignalRegistration.Create(PosixSignal.SIGINT, Stop);
        using var terminate = PosixSignalRegistration.Create(PosixSignal.SIGTERM, Stop);
        using var hangUp = PosixSignalRegistration.Create(PosixSignal.SIGHUP, Stop);
        var parsed = Root(args, output).Parse(args);
        try
        {
            // An embedded PostgreSQL needs its time to stop; nothing may cut it short.
            var configuration = new InvocationConfiguration
            {
                EnableDefaultExceptionHandler = false,
                ProcessTerminationTimeout = null,
                Output = output,
            };
            var exitCode = await parsed.InvokeAsync(configuration, stop.Token);
            return parsed.Errors.Count > 0 ? 2 : exitCode;
        }
        catch (StartupException failure)
        {
            await Console.Error.WriteLineAsync(failure.Message);
            return 1;
        }
        catch (OperationCanceledException) when (stop.IsCancellationRequested)
        {
            await Console.Error.WriteLineAsync("Interrupted; no report is written.");
            return 1;
        }
    }

    private static RootCommand Root(IReadOnlyList<string> args, TextWriter output) =>
        new("Load tests of ChatPay. Each measures its baselines in the same run.")
        {
            SettleCommandLine.Create(args, output),
            LedgerGrowthScenario.Create(args, output),
            FillScenario.Create(args, output),
            ChatScenario.Create(args, output),
            FanoutScenario.Create(args, output),
            IdleScenario.Create(args, output),
            StormScenario.Create(args, output),
            GrowthScenario.Create(args, output),
            PayScenario.Create(args, output),
            PacketScenario.Create(args, output),
            FaultsScenario.Create(args, output),
            MlsScenario.Create(args, output),
            VaultScenario.Create(args, output),
            RelayCommand.Create(),
        };
}
