using ChatPay.Core.Protocol;
using ChatPay.Server.Accounts;
using ChatPay.Server.Database;
using ChatPay.Server.Hosting;

namespace ChatPay.Server.Ledger;

/// <summary>What <c>ledger export</c> was asked for.</summary>
internal sealed record ExportRequest(
    string Handle, string Asset, string Format, string? From, string? To, FileInfo Output);

internal static class ExportRequestExtensions
{
    /// <summary>The command <c>ledger export</c>: a file of any length. A file that fails half way is not left behind.</summary>
    /// <exception cref="StartupException">It cannot be had; the sentence says why.</exception>
    public static async Task<int> ExportStatementAsync(
        this IServiceProvider services, ExportRequest request, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(request);
        await services.RequireMigratedAsync(cancellationToken);
        var account = Granted(await services.GetRequiredService<AccountDirectory>()
            .FindByHandleAsync(request.Handle, cancellationToken));
        var export = Granted(await services.GetRequiredService<ExportService>().PrepareAsync(
            account.Id, request.Asset, request.Format, request.From, request.To, long.MaxValue, cancellationToken));
        var unfinished = request.Output.FullName + ".part";
        try
        {
            await using (var file = File.Create(unfinished))
            {
                await export.WriteAsync(file, cancellationToken);
            }

            File.Move(unfinished, request.Output.FullName, overwrite: true);
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            throw new StartupException($"{request.Output.FullName} cannot be written: {failure.Message}", failure);
        }
        finally
        {
            if (File.Exists(unfinished))
            {
                File.Delete(unfinished);
            }
        }

        await Console.Out.WriteLineAsync($"Wrote {export.Head.Entries} entries to {request.Output.FullName}");
        return 0;
    }

    private static T Granted<T>(Result<T> result) =>
        result.Error is { } error ? throw new StartupException(error.Message) : result.Value;
}
