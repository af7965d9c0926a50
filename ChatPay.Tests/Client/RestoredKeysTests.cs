using ChatPay.Client;
using ChatPay.Core.Protocol;
using ChatPay.Tests.Support;
using Xunit;

namespace ChatPay.Tests.Client;

/// <summary>A backup was restored that has not all of the chains that devices remember.</summary>
public sealed class RestoredKeysTests(PostgresFixture postgres)
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact(Timeout = SdkPerson.TimeoutMs)]
    public async Task A_device_gives_the_server_back_what_it_lost_of_its_chain_and_others_keep_what_they_know()
    {
        var database = await postgres.CreateDatabaseAsync();
        var (adasStore, phonesStore, bensStore) = (new MemoryStore(), new MemoryStore(), new MemoryStore());
        string ada, ben;
        AccountId adasId;
        ConversationId chat;
        await using (var before = await TestServer.StartAsync(database))
        {
            await using var one = await SdkPerson.JoinAsync(before.Address, adasStore);
            await using var other = await SdkPerson.JoinAsync(before.Address, bensStore);
            (ada, ben, adasId) = (one.Handle, other.Handle, one.Id);
            await using var phone = await SdkPerson.OpenAsync(before.Address, phonesStore, ada, approver: one);
            chat = (await one.Device.StartDirectAsync(other.Id, Cancellation)).Id;
            await other.SeesAsync(chat);
            await phone.SeesAsync(chat);
            await other.Device.PersonKeysAsync(adasId, Cancellation);
        }

        // Of before the phone: two entries of each person.
        await KeyLogBackup.RestoreAsync(database, 4);
        await using var restored = await TestServer.StartAsync(database);
        await using var bensAgain = await SdkPerson.OpenAsync(restored.Address, bensStore, ben);
        Assert.Equal(2, (await bensAgain.Device.Client.KeyChainAsync(adasId, 0, 0, Cancellation)).Length);
        Assert.True((await bensAgain.Device.PersonKeysAsync(adasId, Cancellation)).IsAccepted);
        Assert.Equal([KeyAlarmKind.LogReplaced], await AlarmsAsync(bensAgain));

        // The phone knows of itself; the first device may not have looked before it went.
        await using var adasAgain = await SdkPerson.OpenAsync(restored.Address, adasStore, ada);
        await using var phonesAgain = await SdkPerson.OpenAsync(restored.Address, phonesStore, ada);
        await Eventually.TrueAsync(
            async () => (await bensAgain.Device.Client.KeyChainAsync(adasId, 0, 0, Cancellation)).Length == 3,
            "the server has the chain again");
        Assert.True(phonesAgain.Device.IsApproved);
        Assert.Equal([KeyAlarmKind.LogReplaced], await AlarmsAsync(phonesAgain));
        await phonesAgain.Device.Conversation(chat).SendTextAsync("still here", Cancellation);
        await bensAgain.ReadsAsync("still here");
        Assert.Equal(3, (await bensAgain.Device.Client.KeyChainAsync(adasId, 0, 0, Cancellation)).Length);
        Assert.Equal([KeyAlarmKind.LogReplaced], await AlarmsAsync(bensAgain));
    }

    private static async Task<IEnumerable<KeyAlarmKind>> AlarmsAsync(SdkPerson person) =>
        (await person.Device.KeyAlarmsAsync(Cancellation)).Select(alarm => alarm.Kind);
}
