using ChatPay.Core.Ledger;
using ChatPay.Core.Protocol;
using ChatPay.Server.Database.GroupCommit;
using ChatPay.Server.Ledger;
using Dapper;
using Microsoft.Extensions.DependencyInjection;
using Xunit;

namespace ChatPay.Tests.Ledger;

/// <summary>Anna's account in euros, with an entry of every kind, and whatever of it a test asks to have as a file.</summary>
internal sealed class StatementScene
{
    private static readonly AssetCode s_eur = AssetCode.Parse("EUR");

    private readonly MoneyFixture _money;

    private StatementScene(MoneyFixture money, WalletHolder anna, WalletHolder bob) =>
        (_money, Anna, Bob) = (money, anna, bob);

    public WalletHolder Anna { get; }

    public WalletHolder Bob { get; }

    /// <summary>Oldest first.</summary>
    public IReadOnlyList<StatementEntry> Entries { get; private set; } = [];

    public ExportService Exports => _money.Server.Services.GetRequiredService<ExportService>();

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public static async Task<StatementScene> PlayAsync(MoneyFixture money)
    {
        var scene = new StatementScene(money, await money.PersonAsync(), await money.PersonAsync());
        await scene.NameAsync(scene.Anna, "Anna & <Söhne>");
        await scene.NameAsync(scene.Bob, "=cmd|'/C X'!A0, \"Bob\" 👩‍👩‍👧‍👦 of the very long name");
        var (anna, bob) = (Account(scene.Anna), Account(scene.Bob));
        var conversation = await money.ConversationAsync(scene.Anna, scene.Bob);

        // Cards: accepted, declined, one still open; then everything the ledger does without one.
        var accepted = await money.PostAsync(CardKind.Transfer, conversation, scene.Anna, scene.Bob, 1_250);
        await money.ActAsync(scene.Bob, accepted, CardActionKind.Accept);
        var declined = await money.PostAsync(CardKind.Transfer, conversation, scene.Anna, scene.Bob, 300);
        await money.ActAsync(scene.Bob, declined, CardActionKind.Decline);
        var paid = scene.Id();
        await scene.PostAsync(LedgerCommand.Transfer(paid, anna, bob, Money.Of(2_000, s_eur)));
        await scene.PostAsync(LedgerCommand.Refund(scene.Id(), paid, bob, anna, Money.Of(500, s_eur)));
        await scene.PostAsync(LedgerCommand.Transfer(scene.Id(), bob, anna, Money.Of(1, s_eur)));
        var hold = scene.Id();
        await scene.PostAsync(LedgerCommand.Hold(hold, anna, Money.Of(900, s_eur), 3_600));
        await scene.PostAsync(LedgerCommand.Capture(scene.Id(), hold, anna, bob, Money.Of(400, s_eur)));
        await scene.PostAsync(LedgerCommand.CaptureAll(scene.Id(), hold, anna, bob, s_eur));
        await scene.PostAsync(LedgerCommand.Balancing(scene.Id(), bob, anna, Money.Of(100, s_eur)));
        var expiring = scene.Id();
        await scene.PostAsync(LedgerCommand.Hold(expiring, anna, Money.Of(70, s_eur), 60));
        await money.AdvanceAsync(TimeSpan.FromMinutes(2));
        await scene.PostAsync(LedgerCommand.Expire(scene.Id(), expiring, anna, s_eur));
        await money.PostAsync(CardKind.Transfer, conversation, scene.Anna, scene.Bob, 200);
        await scene.LookAsync();
        return scene;
    }

    /// <summary>Reads Anna's entries again.</summary>
    public async Task LookAsync() => Entries =
    [
        .. (await _money.Statements.ReadPageAsync(Anna.Account, "EUR", null, 100, null, null, default, Cancel))
            .Value.Entries.Reverse(),
    ];

    public async Task<string> ExportAsync(string format, string? from = null, string? to = null)
    {
        var export = await Exports.PrepareAsync(Anna.Account, "EUR", format, from, to, Limits.ExportEntries, Cancel);
        Assert.Null(export.Error);
        await using var file = new MemoryStream();
        await export.Value.WriteAsync(file, Cancel);
        return System.Text.Encoding.UTF8.GetString(file.ToArray());
    }

    /// <summary>A payment more, to see who notices.</summary>
    public Task PayAsync(long amountMinor) => PostAsync(
        LedgerCommand.Transfer(Id(), Account(Anna), Account(Bob), Money.Of(amountMinor, s_eur)));

    private static LedgerAccountId Account(WalletHolder holder) => LedgerAccountId.Of(holder.Account, s_eur);

    private TransferId Id() => new(_money.NewId());

    private async Task PostAsync(LedgerCommand command)
    {
        var committer = _money.Server.Services.GetRequiredService<GroupCommitter>();
        var decided = await committer.SubmitAsync(new PostTransferCommand(command), Cancel);
        Assert.Equal(LedgerStatus.Applied, decided.Value.Outcome.Status);
    }

    private async Task NameAsync(WalletHolder holder, string name)
    {
        await using var connection = await _money.DataSource.OpenConnectionAsync(Cancel);
        await connection.ExecuteAsync(
            "update account set display_name = @name where id = @id", new { name, id = holder.Account.Value });
    }
}
