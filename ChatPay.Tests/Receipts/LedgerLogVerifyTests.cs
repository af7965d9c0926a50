using ChatPay.Core.Ledger;
using ChatPay.Tests.Ledger;
using ChatPay.Tests.Support;
using Xunit;

namespace ChatPay.Tests.Receipts;

/// <summary>
/// <c>ledger verify</c> finds and names what was altered after it was sealed, also by whoever keeps the books in order.
/// </summary>
public sealed class LedgerLogVerifyTests(PostgresFixture postgres)
{
    /// <summary>A payment's sides and entries altered together, so that the books agree, and its hash made to fit.</summary>
    private const string Rewritten =
        "update transfer set created_at = created_at - interval '1 second' where id = '{0}'; "
        + "update entry set created_at = created_at - interval '1 second' where transfer_id = '{0}'";

    [Theory]
    [InlineData(Rewritten, "transfer {0}: was altered after it was sealed (place ")]
    [InlineData(
        "delete from entry where transfer_id = '{0}'; delete from transfer where id = '{0}'",
        "transfer {0}: was removed after it was sealed (place ")]
    [InlineData(
        "delete from ledger_log_leaf where transfer_id = '{0}'",
        "transfer {0}: was not there when the ledger log took in what was decided with it")]
    [InlineData("delete from ledger_log_leaf where transfer_id = '{0}'", "ledger log: place ")]
    [InlineData(
        "update ledger_log_leaf set leaf = sha256('x') where transfer_id = '{0}'", "do not give the root that was signed")]
    [InlineData("update ledger_log set root = sha256('x')", "its checkpoint is not what its key signed")]
    [InlineData("update ledger_log set note = replace(note, '/ledger', '/Ledger')", "its checkpoint is not what its key signed")]
    [InlineData("update ledger_log set verifier_key = sha256('x')", "its checkpoint is not what its key signed")]
    public async Task What_was_altered_after_it_was_sealed_is_named(string tampering, string finding)
    {
        await using var money = new MoneyFixture(postgres);
        await money.InitializeAsync();
        var scene = new LedgerScene(money);
        var (alice, bob) = (await scene.WalletAsync(), await scene.WalletAsync());
        await using var node = await LedgerNode.StartAsync(money.ConnectionString);
        var payment = scene.Pay(alice, bob, 123);
        await node.PostAsync(payment);
        await node.PostAsync(scene.Pay(alice, bob, 1));
        await LedgerLogScene.SealedAsync(money.DataSource);
        await money.AssertCleanAsync();
        await LedgerLogScene.ExecuteAsync(
            money.DataSource,
            "alter table transfer disable trigger user; alter table entry disable trigger user; " + Of(tampering, payment));
        var (exitCode, output) = await money.VerifyAsync();
        Assert.Equal(1, exitCode);
        Assert.Contains(Of(finding, payment), output, StringComparison.Ordinal);
    }

    private static string Of(string text, LedgerCommand payment) =>
        text.Replace("{0}", payment.Id.ToString(), StringComparison.Ordinal);
}
