using System.Globalization;
using System.Text;
using ChatPay.Core.Ledger;
using ChatPay.Core.Protocol;
using ChatPay.Server.Database.GroupCommit;
using ChatPay.Server.Ledger;
using Microsoft.Extensions.DependencyInjection;

namespace ChatPay.Tests.Ledger;

/// <summary>
/// Plays one worked example, with people and ids of its own, through the engine's door, and prints it with what came of
/// each command.
/// </summary>
internal sealed class LedgerExampleRunner(MoneyFixture money, LedgerNode node)
{
    private const string Prompt = "> ";

    private static readonly string[] s_columns =
        ["version", "transfer", "posted", "held", "balance before", "balance after", "held after"];

    private readonly GroupCommitter _committer = node.Server.Services.GetRequiredService<GroupCommitter>();
    private readonly AssetCatalogue _assets = node.Server.Services.GetRequiredService<AssetCatalogue>();
    private readonly Dictionary<string, WalletHolder> _people = new(StringComparer.Ordinal);
    private readonly HashSet<LedgerAccountId> _opened = [];
    private readonly Dictionary<string, Guid> _ids = new(StringComparer.Ordinal);
    private readonly Dictionary<Guid, string> _names = [];

    /// <summary>What each name first stood for: a capture finds its payer there, a refund both sides.</summary>
    private readonly Dictionary<string, LedgerCommand> _movements = new(StringComparer.Ordinal);

    private readonly StringBuilder _printed = new();
    private List<(string Name, LedgerCommand Command)>? _members;
    private LedgerGroupId _group;

    /// <returns>The block as it should stand in the document.</returns>
    public async Task<string> RunAsync(string block)
    {
        foreach (var line in block.Split('\n').Where(line => line.StartsWith(Prompt, StringComparison.Ordinal)))
        {
            Print(line);
            await RunAsync(line[Prompt.Length..].Split(' ', StringSplitOptions.RemoveEmptyEntries));
        }

        return _printed.ToString().TrimEnd('\n');
    }

    private async Task RunAsync(string[] words)
    {
        switch (words)
        {
            case ["fund", var who, var amount, var asset]:
                await FundAsync(who, MoneyOf(amount, asset));
                break;
            case ["group", var name, "{"]:
                (_group, _members) = (new LedgerGroupId(IdOf(name)), []);
                break;
            case ["}"] when _members is { } members:
                await PostGroupAsync(members);
                _members = null;
                break;
            case ["freeze" or "unfreeze" or "close", var name, var who, var asset, .. var reason]:
                var changed = await node.PostAsync(AccountChange.Of(
                    Enum.Parse<AccountChangeKind>(words[0], ignoreCase: true), new AccountChangeId(IdOf(name)),
                    await AccountAsync(who, asset), string.Join(' ', reason)));
                Print(TextOf(changed.Status) + Again(changed));
                break;
            case ["wait", var seconds, "s"]:
                await money.AdvanceAsync(TimeSpan.FromSeconds(int.Parse(seconds, CultureInfo.InvariantCulture)));
                break;
            case ["balance", var who, var asset]:
                await PrintBalanceAsync(await AccountAsync(who, asset), AssetCode.Parse(asset));
                break;
            case ["entries", var who, var asset]:
                await PrintEntriesAsync(await AccountAsync(who, asset));
                break;
            default:
                var command = await MovementAsync(words);
                _movements.TryAdd(words[1], command);
                if (_members is { } group)
                {
                    group.Add((words[1], command));
                    break;
                }

                Print(TextOf(await node.PostAsync(command), command.Asset));
                break;
        }
    }

    private async Task<LedgerCommand> MovementAsync(string[] words)
    {
        switch (words)
        {
            case ["transfer", var name, var from, "->", var to, var amount, var asset]:
                return LedgerCommand.Transfer(
                    new(IdOf(name)), await AccountAsync(from, asset), await AccountAsync(to, asset),
                    MoneyOf(amount, asset));
            case ["transfer", var name, var from, "->", var to, "up", "to", var amount, var asset]:
                return LedgerCommand.Balancing(
                    new(IdOf(name)), await AccountAsync(from, asset), await AccountAsync(to, asset),
                    MoneyOf(amount, asset));
            case ["hold", var name, var who, var amount, var asset, "for", var seconds, "s"]:
                return LedgerCommand.Hold(
                    new(IdOf(name)), await AccountAsync(who, asset), MoneyOf(amount, asset),
                    int.Parse(seconds, CultureInfo.InvariantCulture));
            case ["capture", var name, "of", var hold, "->", var to, "all"]:
                var (payer, held) = (_movements[hold].Debit, _movements[hold].Asset);
                return LedgerCommand.CaptureAll(
                    new(IdOf(name)), new(IdOf(hold)), payer, await AccountAsync(to, held.Value), held);
            case ["capture", var name, "of", var hold, "->", var to, var amount, var asset]:
                return LedgerCommand.Capture(
                    new(IdOf(name)), new(IdOf(hold)), _movements[hold].Debit, await AccountAsync(to, asset),
                    MoneyOf(amount, asset));
            case ["release", var name, "of", var hold]:
                return LedgerCommand.Release(
                    new(IdOf(name)), new(IdOf(hold)), _movements[hold].Debit, _movements[hold].Asset);
            case ["expire", var name, "of", var hold]:
                return LedgerCommand.Expire(
                    new(IdOf(name)), new(IdOf(hold)), _movements[hold].Debit, _movements[hold].Asset);
            case ["refund", var name, "of", var original, var amount, var asset]:
                var paid = _movements[original];
                return LedgerCommand.Refund(
                    new(IdOf(name)), new(IdOf(original)), paid.Credit!.Value, paid.Debit, MoneyOf(amount, asset));
            default:
                throw new FormatException($"No such command: {string.Join(' ', words)}");
        }
    }

    private async Task FundAsync(string who, Money amount)
    {
        var account = await AccountAsync(who, amount.Asset.Value);
        var sandbox = LedgerOwner.OfSystem(OpenWalletsCommand.SandboxName);
        await OpenAsync(sandbox, amount.Asset);
        var id = money.NewId();
        _names.Add(id, "fund");
        var outcome = await node.PostAsync(LedgerCommand.Transfer(
            new(id), LedgerAccountId.OfSystem(OpenWalletsCommand.SandboxName, amount.Asset), account, amount));
        if (!outcome.IsApplied)
        {
            throw new InvalidOperationException($"Funding ended with {outcome.Status}.");
        }
    }

    private async Task PostGroupAsync(List<(string Name, LedgerCommand Command)> members)
    {
        var outcomes = await node.PostAsync(new LedgerGroup(_group, [.. members.Select(member => member.Command)]));
        foreach (var ((name, command), outcome) in members.Zip(outcomes))
        {
            Print($"{name}: {TextOf(outcome, command.Asset)}");
        }
    }

    /// <summary>Opens it where the example mentions it for the first time.</summary>
    private async Task<LedgerAccountId> AccountAsync(string who, string asset)
    {
        if (!_people.TryGetValue(who, out var person))
        {
            person = await money.PersonAsync(withWallets: false);
            _people.Add(who, person);
        }

        var code = AssetCode.Parse(asset);
        var account = LedgerAccountId.Of(person.Account, code);
        if (_opened.Add(account))
        {
            await OpenAsync(LedgerOwner.Of(person.Account), code);
        }

        return account;
    }

    private async Task OpenAsync(LedgerOwner owner, AssetCode asset)
    {
        var opened = await _committer.SubmitAsync(new OpenCommand(owner, asset), CancellationToken.None);
        if (!opened.Value.IsApplied)
        {
            throw new InvalidOperationException($"Opening an account ended with {opened.Value.Status}.");
        }
    }

    private Guid IdOf(string name)
    {
        if (!_ids.TryGetValue(name, out var id))
        {
            id = money.NewId();
            _ids.Add(name, id);
            _names.Add(id, name);
        }

        return id;
    }

    private Money MoneyOf(string amount, string asset)
    {
        var code = AssetCode.Parse(asset);
        var minor = decimal.Parse(amount, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture);
        for (var decimals = 0; decimals < ExponentOf(code); decimals++)
        {
            minor *= 10;
        }

        return decimal.IsInteger(minor)
            ? Money.Of((long)minor, code)
            : throw new FormatException($"{amount} {asset} has too many decimals.");
    }

    private int ExponentOf(AssetCode asset) => _assets.Find(asset)!.Exponent;

    private string TextOf(LedgerOutcome outcome, AssetCode asset) =>
        TextOf(outcome.Status)
        + (outcome.IsApplied ? $": {TextOf(outcome.Moved.Value, asset)} {asset}" : "")
        + Again(outcome);

    private static string TextOf(LedgerStatus status) => ((int)status).ToString(CultureInfo.InvariantCulture) + " "
        + (status == LedgerStatus.Applied ? "applied" : ErrorCatalogue.NameOf((ErrorCode)status));

    private string TextOf(long amountMinor, AssetCode asset) =>
        Money.Of(amountMinor, asset).ToDecimalText(ExponentOf(asset));

    private static string Again(LedgerOutcome outcome) => outcome.Replayed ? ", as before" : "";

    private async Task PrintBalanceAsync(LedgerAccountId account, AssetCode asset)
    {
        await using var query = money.DataSource.CreateCommand(
            "select balance_minor, held_minor from ledger_account where id = $1");
        query.Parameters.AddWithValue(account.Value);
        await using var reader = await query.ExecuteReaderAsync();
        await reader.ReadAsync();
        var (balanceMinor, heldMinor) = (reader.GetInt64(0), reader.GetInt64(1));
        Print($"balance {TextOf(balanceMinor, asset)}, held {TextOf(heldMinor, asset)}, "
            + $"available {TextOf(balanceMinor - heldMinor, asset)}");
    }

    private async Task PrintEntriesAsync(LedgerAccountId account)
    {
        await using var query = money.DataSource.CreateCommand(
            """
            select version, transfer_id, posted, held, balance_before, balance_after, held_after
            from statement where account_id = $1
            order by version
            """);
        query.Parameters.AddWithValue(account.Value);
        await using var reader = await query.ExecuteReaderAsync();
        var rows = new List<string[]> { s_columns };
        while (await reader.ReadAsync())
        {
            rows.Add([.. s_columns.Select((_, index) => reader.GetValue(index) is Guid id
                ? _names[id]
                : Convert.ToString(reader.GetValue(index), CultureInfo.InvariantCulture)!)]);
        }

        var widths = s_columns.Select((_, index) => rows.Max(row => row[index].Length)).ToArray();
        foreach (var row in rows)
        {
            Print(string.Join("  ", row.Select((cell, index) =>
                s_columns[index] == "transfer" ? cell.PadRight(widths[index]) : cell.PadLeft(widths[index]))));
        }
    }

    private void Print(string line) => _printed.Append(line).Append('\n');

    /// <summary>Opens one account without play money.</summary>
    private sealed class OpenCommand(LedgerOwner owner, AssetCode asset) : WriteCommand<LedgerOutcome>
    {
        public override void Declare(WriteSet set) =>
            set.Rows<LedgerRows>().NeedAccount(LedgerAccount.Open(owner, asset).Id);

        protected override Result<LedgerOutcome> DecideOutcome(WriteSet set) =>
            set.Rows<LedgerRows>().Open(owner, asset);
    }
}
