using ChatPay.Core.Ledger;
using ChatPay.Core.Protocol;
using ChatPay.Server.Database;
using ChatPay.Server.Database.GroupCommit;
using ChatPay.Server.Hosting;
using static System.FormattableString;

namespace ChatPay.Server.Ledger;

/// <summary>
/// The commands <c>ledger account …</c>. Changes go through a group committer of this process, under the same row locks
/// as those of a server that runs beside it: what is frozen here, the next batch there finds frozen.
/// </summary>
/// <param name="owner">A handle, or <c>system:</c> and the name of one of the system's own accounts.</param>
internal sealed class AccountOperator(
    IServiceProvider services, TextWriter output, TextWriter errors, string owner, string asset)
{
    private const string SystemPrefix = "system:";
    private const int ShownChanges = 20;

    private readonly LedgerAccountStore _store = services.GetRequiredService<LedgerAccountStore>();

    /// <summary>Why the reason cannot be kept; null where it can.</summary>
    public static string? CheckReason(string? reason) => reason switch
    {
        _ when string.IsNullOrWhiteSpace(reason) => "Say why with --reason; it is kept with the change.",
        { Length: > Limits.LedgerReasonMaxChars } => $"A reason has at most {Limits.LedgerReasonMaxChars} characters.",
        _ => null,
    };

    /// <returns>0, or 1 where there is no such account.</returns>
    public async Task<int> ShowAsync(CancellationToken cancellationToken)
    {
        if (await FindAsync(cancellationToken) is not { } sheet)
        {
            return 1;
        }

        await output.WriteLineAsync($"account     {owner} {asset} ({sheet.Id})");
        await output.WriteLineAsync($"state       {Name(sheet.State)}");
        await output.WriteLineAsync($"balance     {Amount(sheet, sheet.Balance)}");
        await output.WriteLineAsync(
            Invariant($"held        {Amount(sheet, sheet.Held)} in {sheet.OpenHolds} open holds"));
        await output.WriteLineAsync(sheet.Guarded
            ? $"available   {Amount(sheet, sheet.Balance - sheet.Held)}"
            : "available   without limit: it may owe");
        await output.WriteLineAsync(Invariant($"entries     {sheet.Version}") + (sheet.LastEntryAt is { } last
            ? $", the newest of {Instant(last)}"
            : ""));
        var changes = await _store.ReadChangesAsync(sheet.Id, ShownChanges, cancellationToken);
        if (changes.Count > 0)
        {
            await output.WriteLineAsync("changes");
        }

        foreach (var (kind, status, reason, at) in changes)
        {
            var outcome = status == LedgerStatus.Applied ? "applied" : ErrorCatalogue.NameOf((ErrorCode)status);
            await output.WriteLineAsync($"  {Instant(at)}  {Name(kind),-8}  {outcome}  {reason}");
        }

        return 0;
    }

    /// <returns>0 where the account is now in that state; 1 where it is not, and why is said.</returns>
    public async Task<int> ChangeAsync(AccountChangeKind kind, string reason, CancellationToken cancellationToken)
    {
        if (CheckReason(reason) is { } wrong)
        {
            await errors.WriteLineAsync(wrong);
            return 1;
        }

        if (await FindAsync(cancellationToken) is not { } sheet)
        {
            return 1;
        }

        var id = new AccountChangeId(services.GetRequiredService<IdFactory>().NewUuid());
        var decided = await SubmitAsync(AccountChange.Of(kind, id, sheet.Id, reason), cancellationToken);
        if (decided.Error is { } failure)
        {
            await errors.WriteLineAsync(
                $"Whether it was done is not known; look with: ledger account show. {failure.Message}");
            return 1;
        }

        var outcome = decided.Value.Outcome;
        if (!outcome.IsApplied)
        {
            var refusal = outcome.ToError();
            await errors.WriteLineAsync(
                $"{owner} {asset} stays {Name(sheet.State)} ({ErrorCatalogue.NameOf(refusal.Code)}): {refusal.Message}");
            return 1;
        }

        await output.WriteLineAsync($"{owner} {asset} is {kind switch
        {
            AccountChangeKind.Freeze => "frozen: nothing leaves it, credits arrive, held money can return.",
            AccountChangeKind.Unfreeze => "open.",
            AccountChangeKind.Close => "closed, for good.",
        }}");
        await output.WriteLineAsync($"Recorded as change {id}.");
        return 0;
    }

    private async Task<AccountSheet?> FindAsync(CancellationToken cancellationToken)
    {
        await services.RequireMigratedAsync(cancellationToken);
        var (handle, system) = owner.StartsWith(SystemPrefix, StringComparison.Ordinal)
            ? ((string?)null, owner[SystemPrefix.Length..])
            : (owner.TrimStart('@'), null);
        var sheet = await _store.FindAsync(handle, system, asset, cancellationToken);
        if (sheet is null)
        {
            await errors.WriteLineAsync(
                $"There is no ledger account of {owner} in {asset}. An owner is a handle, or "
                + $"{SystemPrefix}{OpenWalletsCommand.SandboxName} and the like; an asset is a code such as EUR.");
        }

        return sheet;
    }

    private async Task<Result<LedgerDecision>> SubmitAsync(AccountChange change, CancellationToken cancellationToken)
    {
        // The services of a command are not started; this one is needed.
        var committer = services.GetRequiredService<GroupCommitter>();
        await committer.StartAsync(cancellationToken);
        try
        {
            return await committer.SubmitAsync(new ChangeAccountCommand(change), cancellationToken);
        }
        finally
        {
            await committer.StopAsync(CancellationToken.None);
        }
    }

    private static string Amount(AccountSheet sheet, AmountMinor amount) =>
        $"{new Money(amount, AssetCode.Parse(sheet.Asset)).ToDecimalText(sheet.Exponent)} {sheet.Asset}";

    private static string Instant(DateTimeOffset at) => Invariant($"{at.UtcDateTime:yyyy-MM-dd HH:mm:ss}Z");

    private static string Name(Enum value) => value.ToString().ToLowerInvariant();
}
