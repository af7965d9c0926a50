using System.CommandLine;
using System.Globalization;
using System.Runtime.InteropServices;
using ChatPay.Server.Database;
using ChatPay.Server.Ledger;
using ChatPay.Server.Vault;
using Microsoft.Extensions.Options;

namespace ChatPay.Server.Hosting;

/// <summary>The program's commands. Without one it serves.</summary>
internal static class CommandLine
{
    private static readonly Option<int> s_port = new("--port")
    {
        Description = "Listen on this port of the loopback address; 0 takes a free one. Default: 5080.",
    };

    private static readonly Option<string?> s_urls = new("--urls")
    {
        Description = "Listen on these addresses instead, such as http://0.0.0.0:8080; several are parted by ';'.",
    };

    private static readonly Option<HostRole?> s_role = new("--role")
    {
        Description = "What to serve: the whole server, or one realm of a PIN vault alone. Default: Server.",
    };

    private static readonly Option<DirectoryInfo?> s_data = new("--data")
    {
        Description = "The data folder, made where it is missing. Default: .data in the working folder.",
        Recursive = true,
    };

    private static readonly Option<FileInfo?> s_json = new("--json")
    {
        Description = "Also write the result to this file, as JSON.",
    };

    public static async Task<int> RunAsync(string[] args)
    {
        using var stop = new CancellationTokenSource();
        using var hurry = new CancellationTokenSource();
        var signals = 0;
        void Stop(PosixSignalContext signal)
        {
            // The first asks to finish, the second to finish at once; a third ends the process as if nobody had listened.
            var count = Interlocked.Increment(ref signals);
            signal.Cancel = count < 3;
            (count == 1 ? stop : hurry).Cancel();
        }

        using var interrupt = PosixSignalRegistration.Create(PosixSignal.SIGINT, Stop);
        using var terminate = PosixSignalRegistration.Create(PosixSignal.SIGTERM, Stop);
        using var hangUp = PosixSignalRegistration.Create(PosixSignal.SIGHUP, Stop);
        try
        {
            // The library would end the process by force two seconds after a signal; a database needs the time it needs.
            var configuration = new InvocationConfiguration
            {
                EnableDefaultExceptionHandler = false,
                ProcessTerminationTimeout = null,
            };
            return await Root(hurry.Token).Parse(args).InvokeAsync(configuration, stop.Token);
        }
        catch (StartupException failure)
        {
            await Console.Error.WriteLineAsync(failure.Message);
            return 1;
        }
        catch (Exception failure) when (Misconfigured(failure) is { } what)
        {
            await Console.Error.WriteLineAsync($"The configuration is wrong: {what}");
            return 1;
        }
        catch (OperationCanceledException) when (stop.IsCancellationRequested)
        {
            return 0;
        }
    }

    /// <summary>What a person wrote wrongly into file or environment; null for any other failure.</summary>
    private static string? Misconfigured(Exception failure) => failure switch
    {
        OptionsValidationException => failure.Message,
        InvalidDataException { InnerException: FormatException { InnerException: { } cause } } =>
            $"{failure.Message} {cause.Message}",
        InvalidOperationException { Source: "Microsoft.Extensions.Configuration.Binder" } => failure.Message,
        _ => null,
    };

    /// <param name="hurry">Cancelled when a command that is stopping must not finish anything more.</param>
    private static RootCommand Root(CancellationToken hurry)
    {
        var serve = new Command("serve", "Serve until interrupted; what the program does without a command.")
        {
            s_port, s_urls, s_role,
        };
        serve.SetAction((parsed, stop) => CommandHost.ServeAsync(Settings(parsed), hurry, stop));
        var migrate = new Command("migrate", "Bring the database to this version's schema.");
        migrate.SetAction((parsed, stop) => CommandHost.RunAsync(
            Settings(parsed),
            async (services, cancellationToken) =>
            {
                await services.MigrateAsync(cancellationToken);
                return 0;
            },
            stop));
        var verify = new Command("verify", "Recompute every balance from its entries and check every rule.") { s_json };
        verify.SetAction((parsed, stop) => CommandHost.RunAsync(
            Settings(parsed),
            (services, cancellationToken) => services.VerifyLedgerAsync(parsed.GetValue(s_json), cancellationToken),
            stop));
        var tokenKey = new Command(
            "token-key", "Print the key that realms verify this server's tokens with; it is made where it is missing.");
        tokenKey.SetAction((parsed, _) => CommandHost.RunWithoutDatabaseAsync(Settings(parsed), async services =>
        {
            await Console.Out.WriteLineAsync(services.ReadTokenKey());
            return 0;
        }));
        var export = ExportCommand.Create(Settings);
        var root = new RootCommand("ChatPay: a chat server in which money moves as easily as words.")
        {
            s_data,
            s_port,
            s_urls,
            s_role,
            serve,
            new Command("database", "Work on the database.") { migrate },
            new Command("ledger", "Look at the money.") { verify, export, AccountCommand.Create(Settings) },
            new Command("vault", "Look after the PIN vault.") { tokenKey },
        };
        root.SetAction((parsed, stop) => CommandHost.ServeAsync(Settings(parsed), hurry, stop));
        return root;
    }

    /// <summary>Options of the command line as configuration keys.</summary>
    private static Dictionary<string, string?> Settings(ParseResult parsed)
    {
        var settings = new Dictionary<string, string?>(StringComparer.Ordinal);
        if (parsed.GetValue(s_data) is { } data)
        {
            settings["Hosting:DataFolder"] = data.FullName;
        }

        if (parsed.GetValue(s_role) is { } role)
        {
            settings["Hosting:Role"] = role.ToString();
        }

        if (parsed.GetValue(s_urls) is { } urls)
        {
            settings["urls"] = urls;
        }
        else if (parsed.GetResult(s_port) is not null)
        {
            settings["urls"] = UrlOf(parsed.GetValue(s_port));
        }

        return settings;
    }

    // Kestrel cannot choose one free port for both loopback addresses.
    private static string UrlOf(int port) => string.Create(
        CultureInfo.InvariantCulture, $"http://{(port == 0 ? "127.0.0.1" : "localhost")}:{port}");
}
