using ChatPay.Client;
using ChatPay.Core.Ledger;
using ChatPay.Core.Receipts;
using ChatPay.Core.Transparency;
using ChatPay.Server.Transparency;
using ChatPay.Tests.Support;
using Microsoft.Extensions.DependencyInjection;
using Npgsql;
using Xunit;

namespace ChatPay.Tests.Client;

/// <summary>A device takes no receipt that is not of what it knows, nor from a ledger log with two histories.</summary>
public sealed class DeviceReceiptTests(PostgresFixture postgres)
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    private static Money Euros { get; } = Money.Of(250, AssetCode.Parse("EUR"));

    [Fact(Timeout = SdkPerson.TimeoutMs)]
    public async Task Both_sides_have_a_checked_receipt_that_a_file_proves_to_anybody()
    {
        await using var server = await TestServer.StartAsync(await postgres.CreateDatabaseAsync());
        await using var ada = await SdkPerson.JoinAsync(server.Address);
        await using var ben = await SdkPerson.JoinAsync(server.Address);
        var card = await PayAsync(ada, ben);
        foreach (var person in new[] { ada, ben })
        {
            var receipt = await SealedAsync(person, card);
            Assert.Equal((Euros, ada.Id, ben.Id), (receipt.Money, receipt.View.Payer, receipt.View.Payee));
            Assert.Equal(CardTrust.Verified, receipt.Trust);
            Assert.Equal(receipt.Receipt.Transfer, (await person.Device.ReceiptAsync(
                receipt.Receipt.Transfer.Id, Cancellation)).Receipt.Transfer);
        }

        Assert.Empty(await ada.Device.KeyAlarmsAsync(Cancellation));
    }

    /// <summary>The operator rewrites the log and signs it with its own key.</summary>
    [Fact(Timeout = SdkPerson.TimeoutMs)]
    public async Task A_ledger_log_with_two_histories_raises_an_alarm_and_its_receipt_is_refused()
    {
        var database = await postgres.CreateDatabaseAsync();
        await using var source = NpgsqlDataSource.Create(database);
        await using var server = await TestServer.StartAsync(database);
        await using var ada = await SdkPerson.JoinAsync(server.Address);
        await using var ben = await SdkPerson.JoinAsync(server.Address);
        var card = await PayAsync(ada, ben);
        await SealedAsync(ada, card);
        await ForkAsync(source, server);
        var refused = await Assert.ThrowsAsync<ChatPayException>(() => ada.Device.ReceiptsAsync(card, Cancellation));
        Assert.Equal(ClientErrors.ReceiptInvalid, refused.Name);
        var alarm = Assert.Single(await ada.Device.KeyAlarmsAsync(Cancellation));
        Assert.Equal(KeyAlarmKind.LedgerLogForked, alarm.Kind);
        Assert.Equal(2, alarm.Evidence.Count);
    }

    /// <summary>The server's own key signs a receipt of another card, or of a payment that is not this account's.</summary>
    [Fact(Timeout = SdkPerson.TimeoutMs)]
    public async Task A_receipt_of_other_terms_than_the_device_has_checked_is_refused()
    {
        var database = await postgres.CreateDatabaseAsync();
        await using var source = NpgsqlDataSource.Create(database);
        await using var server = await TestServer.StartAsync(database);
        await using var ada = await SdkPerson.JoinAsync(server.Address);
        await using var ben = await SdkPerson.JoinAsync(server.Address);
        var card = await PayAsync(ada, ben);
        await SealedAsync(ben, card);
        await using var change = source.CreateCommand("update card set lifetime_seconds = lifetime_seconds + 1");
        await change.ExecuteNonQueryAsync(Cancellation);
        var refused = await Assert.ThrowsAsync<ChatPayException>(() => ben.Device.ReceiptsAsync(card, Cancellation));
        Assert.Equal(nameof(ReceiptRejection.StatementOther), refused.Error.Details!["reason"]);
    }

    private static async Task<ChatPay.Core.Protocol.CardId> PayAsync(SdkPerson payer, SdkPerson payee)
    {
        var chat = await payee.Device.StartDirectAsync(payer.Id, Cancellation);
        await payer.SeesAsync(chat.Id);
        var asked = await chat.RequestMoneyAsync(payer.Id, Euros, "for the boat", Cancellation);
        await payer.Items.FirstAsync(item => item is CardPosted { Card.Trust: CardTrust.Verified });
        await payer.Device.PayAsync(asked.Id, Cancellation);
        return asked.Id;
    }

    private static async Task<ChatReceipt> SealedAsync(SdkPerson person, ChatPay.Core.Protocol.CardId card)
    {
        ChatReceipt? receipt = null;
        await Eventually.TrueAsync(
            async () =>
            {
                receipt = Assert.Single(await person.Device.ReceiptsAsync(card, Cancellation));
                return receipt.IsSealed;
            },
            "the receipt is sealed");
        return receipt!;
    }

    /// <summary>Makes the first leaf another one, and everything above it, and signs the same size anew.</summary>
    private static async Task ForkAsync(NpgsqlDataSource source, TestServer server)
    {
        var leaves = new List<byte[]>();
        await using (var command = source.CreateCommand("select leaf from ledger_log_leaf order by index"))
        await using (var row = await command.ExecuteReaderAsync(Cancellation))
        {
            while (await row.ReadAsync(Cancellation))
            {
                leaves.Add(await row.GetFieldValueAsync<byte[]>(0, Cancellation));
            }
        }

        leaves[0][0] ^= 1;
        var (tree, hashes) = (new MerkleFrontier(), new List<byte>());
        foreach (var leaf in leaves)
        {
            tree.Append(MerkleHash.Leaf(leaf));
            hashes.AddRange(MerkleHash.Leaf(leaf));
        }

        var keeper = server.Services.GetRequiredService<LedgerLogKeeper>();
        var signer = keeper.SignerOf(1);
        var note = new Checkpoint(signer.Verifier.Name, tree.Size, tree.Root()).Sign(signer).ToString();
        await using var write = source.CreateCommand(
            """
            with tile as (update ledger_log_tile set hashes = $1 where level = 0 and index = 0)
            update ledger_log set root = $2, note = $3
            """);
        foreach (var value in new object[] { hashes.ToArray(), tree.Root(), note })
        {
            write.Parameters.Add(new NpgsqlParameter { Value = value });
        }

        await write.ExecuteNonQueryAsync(Cancellation);
    }
}
