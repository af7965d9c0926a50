using System.CommandLine;
using System.Globalization;
using System.Text.Json;
using System.Text.Json.Serialization;
using ChatPay.Core.Protocol;
using ChatPay.Core.Transparency;

namespace ChatPay.Verify;

/// <summary>The tool's commands, each with its bounds.</summary>
internal static class VerifyCommandLine
{
    /// <summary>Everything holds.</summary>
    public const int Holds = 0;

    /// <summary>Something does not.</summary>
    public const int DoesNotHold = 1;

    /// <summary>It was called wrongly, or what is to be checked could not be read.</summary>
    public const int Wrong = 2;

    private const long EntriesDefault = 20_000_000;
    private const long EntriesMax = 10_000_000_000;

    /// <summary>A page of the most entries, each with its longest proof, in base64.</summary>
    private const int ChainFileMaxBytes = 1024 * 1024;
    private const int PagesMax = 1 + (LogLimits.ChainEntries / Limits.KeyEntriesPerPage);

    /// <summary>A receipt of a card with a hundred shares has a tenth of it.</summary>
    private const int ReceiptFileMaxBytes = 256 * 1024;

    private static readonly JsonSerializerOptions s_wire = ProtocolJson.Create();

    /// <summary>Somebody might take for a part of a receipt what nobody looks at.</summary>
    private static readonly JsonSerializerOptions s_strict = Strict();

    public static async Task<int> RunAsync(
        IReadOnlyList<string> args, TextWriter output, TextWriter error, CancellationToken cancellationToken = default)
    {
        var parsed = Root(output).Parse(args);
        try
        {
            var configuration = new InvocationConfiguration
            {
                EnableDefaultExceptionHandler = false,
                Output = output,
                Error = error,
            };
            var exitCode = await parsed.InvokeAsync(configuration, cancellationToken);
            return parsed.Errors.Count > 0 ? Wrong : exitCode;
        }
        catch (UnreadableException failure)
        {
            await error.WriteLineAsync(failure.Message);
            return Wrong;
        }
    }

    private static RootCommand Root(TextWriter output) =>
        new("Checks ChatPay's logs, the keys of accounts and receipts, without trusting the server.")
        {
            Log(output), Chain(output), Receipt(output), Fetch(output),
        };

    private static Command Log(TextWriter output)
    {
        var place = new Argument<string>("folder-or-url")
        {
            Description = "A folder that fetch filled, or the server's address.",
        };
        var key = KeyOption();
        var since = new Option<FileInfo?>("--since")
        {
            Description = "A checkpoint from before: the log has to go on from it.",
        };
        var json = JsonOption();
        var command = new Command("log", "Checks a whole log: signature, every entry, every hash, the root.")
        {
            place, key, since, json,
        };
        command.SetAction(async (result, stop) =>
        {
            var verdict = new Verdict();
            using var files = LogFiles.Open(result.GetRequiredValue(place));
            var earlier = result.GetValue(since) is { } file ? await ReadAsync(file, LogLimits.NoteBytes, stop) : null;
            await new LogChecker(files, VerifierOf(result.GetRequiredValue(key)), verdict).CheckAsync(earlier, stop);
            return Conclude(verdict, output, result.GetValue(json));
        });
        return command;
    }

    private static Command Chain(TextWriter output)
    {
        var pages = new Argument<FileInfo[]>("file")
        {
            Description = "What GET /v1/keys/accounts/{account} answered; of a long chain all pages, in order.",
            Arity = new ArgumentArity(1, PagesMax),
        };
        var key = KeyOption();
        var checkpoint = new Option<FileInfo>("--checkpoint")
        {
            Description = "A checkpoint that is trusted, such as one that log has checked.",
            Required = true,
        };
        var json = JsonOption();
        var command = new Command("chain", "Checks an account's chain: its keys, devices, revocations and PIN.")
        {
            pages, key, checkpoint, json,
        };
        command.SetAction(async (result, stop) =>
        {
            var verdict = new Verdict();
            var verifier = VerifierOf(result.GetRequiredValue(key));
            var trusted = await ReadAsync(result.GetRequiredValue(checkpoint), LogLimits.NoteBytes, stop);
            if (await ChainAsync(result.GetRequiredValue(pages), verdict, stop) is { } replies)
            {
                new ChainChecker(verifier, verdict).Check(trusted, replies);
            }

            return Conclude(verdict, output, result.GetValue(json));
        });
        return command;
    }

    private static Command Receipt(TextWriter output)
    {
        var file = new Argument<FileInfo>("file") { Description = "What GET /v1/receipts/{transfer} answered." };
        var key = new Option<string?>("--key")
        {
            Description = "The ledger log's verifier key, name+id+key, as GET /v1/ledger/log gave it to somebody you trust. "
                + "Without it nobody knows whether the ledger signed.",
        };
        var log = new Option<string?>("--log")
        {
            Description = "A folder that fetch filled from the server's /log/ledger/, or that address: it has to have it too.",
        };
        var keys = new Option<FileInfo[]>("--keys")
        {
            Description = "The payer's chain, as GET /v1/keys/accounts/{account} answered it, all pages in order.",
            Arity = new ArgumentArity(1, PagesMax),
            AllowMultipleArgumentsPerToken = true,
        };
        var json = JsonOption();
        var command = new Command(
            "receipt", "Checks a receipt: the ledger's signature, the payer's device's, the amounts, its place in the log.")
        {
            file, key, log, keys, json,
        };
        command.SetAction(async (result, stop) =>
        {
            var verdict = new Verdict();
            var known = result.GetValue(key) is { } text ? VerifierOf(text) : null;
            using var files = result.GetValue(log) is { } place ? LogFiles.Open(place) : null;
            var bytes = await ReadAsync(result.GetRequiredValue(file), ReceiptFileMaxBytes, stop);
            var chain = result.GetValue(keys) is { Length: > 0 } pages ? await ChainAsync(pages, verdict, stop) : null;
            if (ParseReceipt(bytes) is { } receipt)
            {
                await new ReceiptChecker(verdict).CheckAsync(receipt, known, files, chain, stop);
            }
            else
            {
                verdict.Fail("The file is no receipt as a server answers it.");
            }

            return Conclude(verdict, output, result.GetValue(json));
        });
        return command;
    }

    private static Command Fetch(TextWriter output)
    {
        var url = new Argument<string>("url") { Description = "The server's address, or its log's." };
        var folder = new Argument<string>("folder") { Description = "Where to; what is there already is kept." };
        var most = new Option<long>("--max-entries")
        {
            Description = "A longer log is not downloaded.",
            DefaultValueFactory = _ => EntriesDefault,
        };
        most.Validators.Add(result =>
        {
            if (result.GetValueOrDefault<long>() is < 1 or > EntriesMax)
            {
                result.AddError(FormattableString.Invariant($"--max-entries takes 1 to {EntriesMax:N0}."));
            }
        });
        var command = new Command("fetch", "Downloads a log's public files. Nothing is checked yet.") { url, folder, most };
        command.SetAction(async (result, stop) =>
        {
            if (!LogFiles.TryReadAddress(result.GetRequiredValue(url), out _))
            {
                throw new UnreadableException($"{result.GetRequiredValue(url)} is no address such as https://chat.example.org/.");
            }

            using var remote = LogFiles.Open(result.GetRequiredValue(url));
            var target = result.GetRequiredValue(folder);
            var (files, entries) = await new LogFetcher(remote, target).FetchAsync(result.GetValue(most), stop);
            await output.WriteLineAsync(string.Create(
                CultureInfo.InvariantCulture,
                $"{files:N0} files are new; the log has {entries:N0} entries. Now check it: chatpay-verify log {target} "
                + $"--key …"));
            return Holds;
        });
        return command;
    }

    private static Option<string> KeyOption() => new("--key")
    {
        Description = "The log's verifier key, name+id+key, as GET /v1/keys/log or /v1/ledger/log gave it to somebody you trust.",
        Required = true,
    };

    private static Option<bool> JsonOption() => new("--json") { Description = "Write the findings as JSON." };

    private static int Conclude(Verdict verdict, TextWriter output, bool asJson)
    {
        verdict.Write(output, asJson);
        return verdict.Holds ? Holds : verdict.Failures > 0 ? DoesNotHold : Wrong;
    }

    private static NoteVerifier VerifierOf(string text) => NoteVerifier.TryParse(text, out var verifier)
        ? verifier : throw new UnreadableException($"{text} is no verifier key: it looks like name+id+base64.");

    /// <returns>All pages; null where one is none, which is said then.</returns>
    private static async Task<IReadOnlyList<KeyChainReply>?> ChainAsync(
        FileInfo[] pages, Verdict verdict, CancellationToken cancellationToken)
    {
        var replies = new List<KeyChainReply>();
        foreach (var file in pages)
        {
            if (Parse(await ReadAsync(file, ChainFileMaxBytes, cancellationToken)) is not { } reply)
            {
                verdict.Fail($"The file {file.Name} is no chain as a server answers it.");
                return null;
            }

            replies.Add(reply);
        }

        return replies;
    }

    private static ReceiptView? ParseReceipt(byte[] bytes)
    {
        try
        {
            var receipt = JsonSerializer.Deserialize<ReceiptView>(bytes, s_strict);
            return receipt is { Seal: { } seal } && seal.Proof.Any(IsMissing) ? null : receipt;
        }
        catch (JsonException)
        {
            return null;
        }
    }

    private static JsonSerializerOptions Strict()
    {
        var options = new JsonSerializerOptions { UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow };
        ProtocolJson.Configure(options);
        options.MakeReadOnly();
        return options;
    }

    private static KeyChainReply? Parse(byte[] bytes)
    {
        try
        {
            var reply = JsonSerializer.Deserialize<KeyChainReply>(bytes, s_wire);
            return reply is null || reply.Consistency.Any(IsMissing)
                || reply.Entries.Any(entry => IsMissing(entry) || entry.Proof.Any(IsMissing)) ? null : reply;
        }
        catch (JsonException)
        {
            return null;
        }
    }

    /// <summary>A list may hold nothing at a place, whatever its type says.</summary>
    private static bool IsMissing(object? element) => element is null;

    private static async Task<byte[]> ReadAsync(FileInfo file, int maxBytes, CancellationToken cancellationToken)
    {
        try
        {
            return file.Length <= maxBytes
                ? await File.ReadAllBytesAsync(file.FullName, cancellationToken)
                : throw new UnreadableException($"The file {file.FullName} is larger than such a file may be.");
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            throw new UnreadableException($"The file {file.FullName} cannot be read: {failure.Message}", failure);
        }
    }
}
