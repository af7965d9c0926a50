using ChatPay.Client;
using ChatPay.Client.Internal;
using ChatPay.Client.Internal.Keys;
using ChatPay.Core.Identity;
using ChatPay.Core.Ledger;
using ChatPay.Core.Protocol;
using ChatPay.Tests.Support;
using Npgsql;
using Xunit;

namespace ChatPay.Tests.Client;

/// <summary>The archive between a person's devices: what goes in, who reads it, and what is left when it is turned off.</summary>
public sealed class ArchiveSdkTests(ServerFixture server, PostgresFixture postgres) : IClassFixture<ServerFixture>
{
    private ArchiveDesk Desk => new(server.Address, server.DataSource);

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact(Timeout = SdkPerson.TimeoutMs)]
    public async Task A_lost_device_is_followed_by_one_that_reads_everything_with_the_PIN()
    {
        await using var ada = await SdkPerson.JoinAsync(server.Address);
        await using var ben = await Desk.KeepAsync();
        var chat = await ada.Device.CreateGroupAsync("Tea & cake", [ben.Id], Cancellation);
        var bens = await ben.SeesAsync(chat.Id);
        await chat.SendTextAsync("before", Cancellation);
        await ben.ReadsAsync("before");

        // What is in the history when it is turned on, and what both sides say from then on.
        await ada.Device.SetPinAsync(ArchiveDesk.Pin, Cancellation);
        await ada.Device.TurnOnArchiveAsync(Cancellation);
        await chat.SendTextAsync("one", Cancellation);
        await ben.ReadsAsync("one");
        await bens.SendTextAsync("two", Cancellation);
        await ada.ReadsAsync("two");
        await chat.RenameAsync("Tea, cake and more", Cancellation);
        await bens.RequestMoneyAsync(
            ada.Id, Money.Of(250, AssetCode.Parse("EUR")), "Für Kuchen ☕", cancellationToken: Cancellation);
        await ada.Items.FirstAsync(item => item is CardPosted);
        await chat.SendTextAsync("three", Cancellation);
        string[] said = ["before", "one", "two", "three"];
        await ArchiveDesk.ArchivedAsync(ada.Device, said);
        await ArchiveDesk.ArchivedAsync(ben.Device, said);
        foreach (var secret in said.Append("Für Kuchen").Append("Tea, cake").Append(ben.Handle).Append(chat.Id.ToString()))
        {
            Assert.Equal(0, await Desk.FindAsync(ada.Id, secret));
        }

        await ada.Device.DisposeAsync();
        await using var phone = await Desk.RecoverAsync(ada.Handle);
        var entries = await ArchiveDesk.ReadAsync(phone);
        var messages = entries.Cast<ArchivedMessage>().OrderBy(message => message.Seq).ToList();
        Assert.Equal(said, messages.OfType<ArchivedText>().Select(text => text.Text));
        Assert.All(messages, message => Assert.Equal(chat.Id, message.Conversation));
        Assert.Equal(messages.Count, messages.DistinctBy(message => (message.Device, message.Id)).Count());
        var two = messages.OfType<ArchivedText>().Single(text => text.Text == "two");
        Assert.Equal((ben.Id, ben.Handle, ben.Device.Id), (two.By.Id, two.By.Handle, two.Device));
        Assert.Contains(messages, message => message is ArchivedGroupName { Name: "Tea, cake and more" });
        var card = Assert.Single(messages.OfType<ArchivedCard>());
        Assert.Equal(
            ("Für Kuchen ☕", true, CardKind.Request, ada.Id, ben.Id, 250, "EUR"),
            (card.Memo, card.IsSound, card.Kind, card.Payer, card.Payee, card.AmountMinor, card.Asset));
        var current = await phone.Client.CardAsync(card.Card, Cancellation);
        Assert.Equal(CardTrust.Verified, card.Compare(current));
        Assert.Equal(CardTrust.Mismatch, card.Compare(current with { AmountMinor = 251 }));
        Assert.Equal(CardTrust.Mismatch, (card with { IsSound = false }).Compare(current));

        // It goes on: the new device archives what it says itself.
        await Eventually.TrueAsync(
            () => Task.FromResult(phone.Conversations.Any(one => one.Id == chat.Id && one.IsReadable)), "it is in");
        await phone.Conversation(chat.Id).SendTextAsync("four", Cancellation);
        await ArchiveDesk.ArchivedAsync(phone, [.. said, "four"]);
        await ArchiveDesk.HasChunksAsync(phone, 1);
    }

    [Fact(Timeout = SdkPerson.TimeoutMs)]
    public async Task Turned_off_by_one_device_nothing_is_left_and_the_others_follow()
    {
        await using var ada = await SdkPerson.JoinAsync(server.Address);
        await using var ben = await SdkPerson.JoinAsync(server.Address);
        await ada.Device.SetPinAsync(ArchiveDesk.Pin, Cancellation);
        await using var phone = await ada.OnAnotherDeviceAsync();
        await ada.Device.TurnOnArchiveAsync(Cancellation);
        var chat = await ada.Device.StartDirectAsync(ben.Id, Cancellation);
        await phone.SeesAsync(chat.Id);
        await chat.SendTextAsync("kept for a while", Cancellation);
        await ArchiveDesk.HasChunksAsync(ada.Device, 1);
        await ArchiveDesk.HasChunksAsync(phone.Device, 1);
        var first = (await ada.Device.Client.ArchiveAsync(Cancellation)).Archive;

        await phone.Device.TurnOffArchiveAsync(Cancellation);
        await phone.Device.TurnOffArchiveAsync(Cancellation);
        foreach (var table in new[] { "archive", "archive_stream", "archive_chunk" })
        {
            Assert.Equal(0, await Desk.CountAsync(ada.Id, table));
        }

        await Eventually.TrueAsync(() => ForgottenAsync(ada.Store), "the other device has forgotten it");
        Assert.True(await ForgottenAsync(phone.Store));
        await chat.SendTextAsync("not kept", Cancellation);
        await phone.ReadsAsync("not kept");
        Assert.True(await ForgottenAsync(ada.Store) && await ForgottenAsync(phone.Store));
        await using var tablet = await Desk.RecoverAsync(ada.Handle);
        Assert.Empty(await ArchiveDesk.ReadAsync(tablet));
        Assert.True(await tablet.ArchiveStateAsync(Cancellation) is { IsOffered: true, IsOn: false, Bytes: 0 });

        // Another time it is another archive, under another key.
        await tablet.TurnOnArchiveAsync(Cancellation);
        Assert.NotEqual(first, (await tablet.Client.ArchiveAsync(Cancellation)).Archive);
        await ArchiveDesk.ArchivedAsync(ada.Device, "kept for a while", "not kept");
    }

    [Theory(Timeout = SdkPerson.TimeoutMs)]
    [InlineData(false, false)]
    [InlineData(false, true)]
    [InlineData(true, false)]
    [InlineData(true, true)]
    public async Task A_program_that_dies_as_a_chunk_is_sealed_or_was_sent_archives_everything(bool isSent, bool lastOneHappens)
    {
        await using var ben = await SdkPerson.JoinAsync(server.Address);
        var memory = new MemoryStore();
        var mortal = new MortalStore(memory) { LastOneHappens = lastOneHappens };
        await using var ada = await Desk.KeepAsync(mortal);
        var chat = await ada.Device.StartDirectAsync(ben.Id, Cancellation);
        await chat.SendTextAsync("one", Cancellation);
        await ArchiveDesk.ArchivedAsync(ada.Device, "one");
        await Eventually.TrueAsync(
            async () => await memory.ReadAsync("archive/chunk", Cancellation) is null, "the first one is done with");
        mortal.DiesOn = changes =>
            changes.Any(change => change.Key == "archive/chunk" && (change.Value is null) == isSent);
        await Record.ExceptionAsync(() => chat.SendTextAsync("two", Cancellation));
        await Eventually.TrueAsync(() => Task.FromResult(mortal.IsDead), "it has died");
        await ada.Device.DisposeAsync();

        await using var again = await SdkPerson.OpenAsync(server.Address, memory, ada.Handle);
        await again.Device.Conversation(chat.Id).SendTextAsync("three", Cancellation);
        await ArchiveDesk.ArchivedAsync(again.Device, "one", "two", "three");
        Assert.InRange(await ArchiveDesk.ChunksAsync(again.Device), 2, 3);
        await using var phone = await Desk.RecoverAsync(ada.Handle);
        Assert.Equal(["one", "two", "three"], await ArchiveDesk.TextsAsync(phone));
    }

    [Fact(Timeout = SdkPerson.TimeoutMs)]
    public async Task Nothing_of_a_conversation_that_has_a_retention_is_archived()
    {
        await using var ada = await Desk.KeepAsync();
        await using var ben = await SdkPerson.JoinAsync(server.Address);
        await using var eve = await SdkPerson.JoinAsync(server.Address);
        var passing = await ada.Device.StartDirectAsync(ben.Id, Cancellation);
        var lasting = await ada.Device.StartDirectAsync(eve.Id, Cancellation);
        await passing.SetRetentionAsync(1, Cancellation);
        await Eventually.TrueAsync(() => Task.FromResult(passing.RetentionDays == 1), "it has a retention");
        await passing.SendTextAsync("for today", Cancellation);
        await lasting.SendTextAsync("for good", Cancellation);
        await ArchiveDesk.ArchivedAsync(ada.Device, "for good");

        // Nor is it when the archive begins with what is in the history.
        await ada.Device.TurnOffArchiveAsync(Cancellation);
        await ada.Device.TurnOnArchiveAsync(Cancellation);
        await ArchiveDesk.ArchivedAsync(ada.Device, "for good");
        await passing.SetRetentionAsync(null, Cancellation);
        await Eventually.TrueAsync(() => Task.FromResult(passing.RetentionDays is null), "it has none any more");
        await passing.SendTextAsync("for good again", Cancellation);
        await Eventually.TrueAsync(
            async () => (await ArchiveDesk.TextsAsync(ada.Device)).Count == 2, "the second one is there");
        Assert.DoesNotContain("for today", await ArchiveDesk.TextsAsync(ada.Device));
    }

    [Fact(Timeout = SdkPerson.TimeoutMs)]
    public async Task The_key_survives_a_new_PIN_that_a_device_sets_which_knows_of_no_archive()
    {
        var fault = new HttpFault();
        var database = await postgres.CreateDatabaseAsync();
        await using var own = await TestServer.StartAsync(database, configure: fault.AddTo);
        await using var source = NpgsqlDataSource.Create(database);
        var desk = new ArchiveDesk(own.Address, source);
        await using var ben = await SdkPerson.JoinAsync(own.Address);
        await using var ada = await SdkPerson.JoinAsync(own.Address);
        await ada.Device.SetPinAsync(ArchiveDesk.Pin, Cancellation);
        var memory = new MemoryStore();
        await using (await SdkPerson.OpenAsync(own.Address, memory, ada.Handle, approver: ada))
        {
            // It is away while the archive is turned on.
        }

        await ada.Device.TurnOnArchiveAsync(Cancellation);
        var chat = await ada.Device.StartDirectAsync(ben.Id, Cancellation);
        await chat.SendTextAsync("still there", Cancellation);
        await ArchiveDesk.ArchivedAsync(ada.Device, "still there");
        await ada.Device.DisposeAsync();

        fault.Around = (context, carryOut) => context.Request.Path == "/v1/archive"
            ? HttpFault.RefuseAsync(context, ErrorCode.ArchiveOff, "archive_off") : carryOut();
        await using (var phone = await SdkPerson.OpenAsync(own.Address, memory, ada.Handle))
        {
            Assert.False((await phone.Device.ArchiveStateAsync(Cancellation)).IsOffered);
            await phone.Device.SetPinAsync("736104", Cancellation);
        }

        fault.Around = null;
        await using var tablet = await desk.RecoverAsync(ada.Handle, "736104");
        Assert.Equal(["still there"], await ArchiveDesk.TextsAsync(tablet));
    }

    [Fact(Timeout = SdkPerson.TimeoutMs)]
    public async Task Without_a_PIN_none_begins_and_two_devices_that_begin_one_at_once_have_the_same()
    {
        await using var ben = await SdkPerson.JoinAsync(server.Address);
        await using var ada = await SdkPerson.JoinAsync(server.Address);
        var refused = await Assert.ThrowsAsync<ChatPayException>(() => ada.Device.TurnOnArchiveAsync(Cancellation));
        Assert.Equal(ClientErrors.ArchiveNeedsPin, refused.Name);
        Assert.True(await ada.Device.ArchiveStateAsync(Cancellation) is { IsOffered: true, IsOn: false });

        await ada.Device.SetPinAsync(ArchiveDesk.Pin, Cancellation);
        await using var phone = await ada.OnAnotherDeviceAsync();
        await Task.WhenAll(
            ada.Device.TurnOnArchiveAsync(Cancellation), phone.Device.TurnOnArchiveAsync(Cancellation));
        var chat = await ada.Device.StartDirectAsync(ben.Id, Cancellation);
        await chat.SendTextAsync("to both", Cancellation);
        await phone.ReadsAsync("to both");
        await ArchiveDesk.HasChunksAsync(ada.Device, 1);
        await ArchiveDesk.HasChunksAsync(phone.Device, 1);
        await ada.Device.DisposeAsync();
        await phone.Device.DisposeAsync();
        await using var tablet = await Desk.RecoverAsync(ada.Handle);
        Assert.Equal(["to both"], await ArchiveDesk.TextsAsync(tablet));
        Assert.True(await tablet.ArchiveStateAsync(Cancellation) is { IsOn: true, IsReadable: true, Bytes: > 0 });
    }

    [Fact(Timeout = SdkPerson.TimeoutMs)]
    public async Task Turned_off_it_leaves_no_key_here_and_with_the_next_PIN_none_among_the_wrapped_ones()
    {
        var fault = new HttpFault();
        await using var own = await TestServer.StartAsync(server.ConnectionString, configure: fault.AddTo);
        await using var ada = await SdkPerson.JoinAsync(own.Address);
        await ada.Device.SetPinAsync(ArchiveDesk.Pin, Cancellation);
        await ada.Device.TurnOnArchiveAsync(Cancellation);
        fault.Around = static (context, carryOut) => context.Request is { Method: "PUT", Path.Value: "/v1/keys/wrapped" }
            ? HttpFault.RefuseAsync(context, ErrorCode.Internal, "internal") : carryOut();
        await Assert.ThrowsAsync<ChatPayException>(() => ada.Device.TurnOffArchiveAsync(Cancellation));
        Assert.True(await ForgottenAsync(ada.Store));

        fault.Around = null;
        await ada.Device.SetPinAsync("736104", Cancellation);
        var record = DeviceCore.Decode<OwnKeysRecord>((await ada.Store.ReadAsync(StoreKeys.OwnKeys, Cancellation))!);
        var stored = await ada.Device.Client.WrappedKeysAsync(Cancellation);
        Assert.True(AccountKeys.TryUnwrap(stored.Wrapped, ada.Id, record.RootSecret, out var keys));
        using (keys)
        {
            Assert.True(keys.ArchiveKey.IsEmpty);
        }

        Assert.True(await ForgottenAsync(ada.Store));
    }

    [Fact(Timeout = SdkPerson.TimeoutMs)]
    public async Task A_device_that_would_lose_its_key_replaces_no_PIN_that_it_does_not_know()
    {
        await using var ada = await SdkPerson.JoinAsync(server.Address);
        await using var phone = await ada.OnAnotherDeviceAsync();
        await ada.Device.SetPinAsync(ArchiveDesk.Pin, Cancellation);
        await ada.Device.TurnOnArchiveAsync(Cancellation);
        var refused = await Assert.ThrowsAsync<ChatPayException>(
            () => phone.Device.SetPinAsync("736104", Cancellation));
        Assert.Equal(ClientErrors.PinNeeded, refused.Name);
        await using (var tablet = await Desk.RecoverAsync(ada.Handle))
        {
            Assert.True(await tablet.ArchiveStateAsync(Cancellation) is { IsOn: true, IsReadable: true });
        }

        await ada.Device.TurnOffArchiveAsync(Cancellation);
        await phone.Device.SetPinAsync("736104", Cancellation);
    }

    /// <summary>Whether a device's store holds nothing of an archive, its key among it.</summary>
    private static async Task<bool> ForgottenAsync(IDeviceStore store)
    {
        var left = await store.ListAsync(new StoreQuery("archive/"), Cancellation);
        var own = System.Text.Encoding.UTF8.GetString((await store.ReadAsync("keys/own", Cancellation))!);
        return left.Count == 0 && !own.Contains("archiveKey", StringComparison.Ordinal);
    }
}
