using System.CommandLine;
using ChatPay.Core.Ledger;
using ChatPay.Server.Ledger;

namespace ChatPay.Server.Hosting;

/// <summary>The command <c>ledger account</c>.</summary>
internal static class AccountCommand
{
    /// <param name="settings">Of the options that all commands share.</param>
    public static Command Create(Func<ParseResult, IReadOnlyDictionary<string, string?>> settings)
    {
        var owner = new Argument<string>("owner")
        {
            Description = "Whose: a handle, or system: and a name, such as system:sandbox.",
        };
        var asset = new Argument<string>("asset") { Description = "In what, such as EUR." };
        var reason = new Option<string>("--reason") { Description = "Why; it is kept with the change.", Required = true };
        reason.Validators.Add(result =>
        {
            if (AccountOperator.CheckReason(result.GetValueOrDefault<string>()) is { } wrong)
            {
                result.AddError(wrong);
            }
        });

        Command Leaf(string name, string description, Func<ParseResult, AccountOperator, CancellationToken, Task<int>> run)
        {
            var command = new Command(name, description) { owner, asset };
            command.SetAction((parsed, stop) => CommandHost.RunAsync(
                settings(parsed),
                (services, cancellationToken) => run(
                    parsed,
                    new AccountOperator(
                        services, Console.Out, Console.Error, parsed.GetRequiredValue(owner),
                        parsed.GetRequiredValue(asset)),
                    cancellationToken),
                stop));
            return command;
        }

        Command Change(AccountChangeKind kind, string description)
        {
            var command = Leaf(
                kind.ToString().ToLowerInvariant(), description,
                (parsed, account, stop) => account.ChangeAsync(kind, parsed.GetRequiredValue(reason), stop));
            command.Options.Add(reason);
            return command;
        }

        return new Command("account", "Look at one ledger account, freeze, unfreeze or close it.")
        {
            Leaf("show", "Balance, state, and what was done to it.", (_, account, stop) => account.ShowAsync(stop)),
            Change(AccountChangeKind.Freeze, "Let nothing leave it; credits arrive and held money can return."),
            Change(AccountChangeKind.Unfreeze, "Undo a freeze."),
            Change(AccountChangeKind.Close, "End an empty account for good."),
        };
    }
}
