using System.Security.Cryptography;
using ChatPay.Client;
using ChatPay.Client.Internal;
using ChatPay.Client.Internal.Keys;
using ChatPay.Client.Internal.Vault;
using ChatPay.Core.Protocol;
using ChatPay.Core.Transparency;
using ChatPay.Core.Vault;
using ChatPay.Tests.Support;
using Microsoft.AspNetCore.Http;
using Xunit;

namespace ChatPay.Tests.Client;

/// <summary>A PIN that one device removes while another one sets it: the chain says what the realms have.</summary>
public sealed class PinRemovalTests(ServerFixture server) : IClassFixture<ServerFixture>
{
    private readonly HttpFault _fault = new();

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact(Timeout = SdkPerson.TimeoutMs)]
    public async Task A_PIN_that_is_set_between_the_deletion_and_its_entry_is_removed_as_well()
    {
        await using var host = await TestServer.StartAsync(server.ConnectionString, configure: _fault.AddTo);
        await using var ada = await SdkPerson.JoinAsync(host.Address);
        await using var phone = await ada.OnAnotherDeviceAsync();
        await ada.Device.SetPinAsync("480279", Cancellation);
        var held = 0;
        _fault.Around = async (context, carryOut) =>
        {
            if (IsEntry(context, ada) && Interlocked.Increment(ref held) == 1)
            {
                Assert.Equal(0, await StoredAsync(ada));
                await phone.Device.SetPinAsync("902741", Cancellation);
                Assert.Equal(3, await StoredAsync(ada));
            }

            await carryOut();
        };
        await ada.Device.RemovePinAsync(Cancellation);
        Assert.True(held > 0);
        await AssertRemovedAsync(ada);
    }

    [Fact(Timeout = SdkPerson.TimeoutMs)]
    public async Task A_PIN_that_is_deleted_before_it_is_named_is_removed_from_the_chain_as_well()
    {
        await using var host = await TestServer.StartAsync(server.ConnectionString, configure: _fault.AddTo);
        await using var ada = await SdkPerson.JoinAsync(host.Address);
        await using var phone = await ada.OnAnotherDeviceAsync();
        await ada.Device.SetPinAsync("480279", Cancellation);
        var (deleted, named) = (NewSource(), NewSource());
        var (held, posted) = (0, 0);
        var removal = Task.CompletedTask;
        _fault.Around = async (context, carryOut) =>
        {
            if (IsEntry(context, phone) && Interlocked.Increment(ref held) == 1)
            {
                removal = ada.Device.RemovePinAsync(Cancellation);
                await deleted.Task;
                Assert.Equal(0, await StoredAsync(ada));
                await carryOut();
                named.SetResult();
                return;
            }

            if (IsEntry(context, ada) && Interlocked.Increment(ref posted) == 1)
            {
                deleted.SetResult();
                await named.Task;
            }

            await carryOut();
        };
        await phone.Device.SetPinAsync("902741", Cancellation);
        await removal;
        Assert.True(named.Task.IsCompletedSuccessfully);
        await AssertRemovedAsync(ada);
    }

    [Theory(Timeout = SdkPerson.TimeoutMs)]
    [InlineData(true, false)]
    [InlineData(false, false)]
    [InlineData(true, true)]
    public async Task Who_sets_a_PIN_that_is_removed_before_it_is_named_is_told(bool isAnyBefore, bool isHeardEarly)
    {
        await using var host = await TestServer.StartAsync(server.ConnectionString, configure: _fault.AddTo);
        await using var ada = await SdkPerson.JoinAsync(host.Address);
        await using var phone = await ada.OnAnotherDeviceAsync();
        if (isAnyBefore)
        {
            await ada.Device.SetPinAsync("480279", Cancellation);
        }

        var held = 0;
        _fault.Around = async (context, carryOut) =>
        {
            if ((isHeardEarly ? IsWrapping(context, phone) : IsEntry(context, phone)) && Interlocked.Increment(ref held) == 1)
            {
                await ada.Device.RemovePinAsync(Cancellation);
                if (isHeardEarly)
                {
                    await Eventually.TrueAsync(
                        async () => (await OwnAsync(phone)).Begun().All(static one => one.Removed), "the phone has heard of it");
                }
            }

            await carryOut();
        };
        var told = await Assert.ThrowsAsync<ChatPayException>(() => phone.Device.SetPinAsync("902741", Cancellation));
        Assert.Equal(ClientErrors.PinRemoved, told.Name);
        Assert.True(held > 0);
        await AssertRemovedAsync(ada);
        Assert.Null((await OwnAsync(phone)).RootSecret);

        // It stays so, and the next one stands.
        await phone.Device.SetPinAsync("618305", Cancellation);
        Assert.Equal(3, await StoredAsync(ada));
        Assert.NotEqual(new byte[KeyLogEntry.DigestSize], await NamedAsync(ada));
    }

    [Fact(Timeout = SdkPerson.TimeoutMs)]
    public async Task What_was_begun_before_a_removal_that_is_heard_of_while_it_is_taken_up_brings_no_root_secret_back()
    {
        await using var host = await TestServer.StartAsync(server.ConnectionString, configure: _fault.AddTo);
        await using var ada = await SdkPerson.JoinAsync(host.Address);
        await using var phone = await SdkPerson.OpenAsync(
            host.Address, new MemoryStore(), ada.Handle,
            static options => options with { RegistrationLook = TimeSpan.FromMilliseconds(20) }, approver: ada);
        await ada.Device.SetPinAsync("480279", Cancellation);
        var wrapped = 0;
        _fault.Around = async (context, carryOut) =>
        {
            switch (IsWrapping(context, phone) ? Interlocked.Increment(ref wrapped) : 0)
            {
                case 1:
                    await HttpFault.RefuseAsync(context, ErrorCode.Internal, "internal");
                    return;
                case 2:
                    await ada.Device.RemovePinAsync(Cancellation);
                    await Eventually.TrueAsync(
                        async () => (await OwnAsync(phone)).Begun().All(static one => one.Removed), "the phone has heard of it");
                    break;
            }

            await carryOut();
        };
        await Assert.ThrowsAsync<ChatPayException>(() => phone.Device.SetPinAsync("902741", Cancellation));
        await Eventually.TrueAsync(
            async () => wrapped >= 2 && (await OwnAsync(phone)).Begun().Count == 0, "it is given up");
        Assert.Null((await OwnAsync(phone)).RootSecret);
        await AssertRemovedAsync(ada);
    }

    [Fact(Timeout = SdkPerson.TimeoutMs)]
    public async Task A_PIN_whose_guesses_are_used_up_is_removed_from_the_chain()
    {
        await using var ada = await SdkPerson.JoinAsync(server.Address);
        await ada.Device.SetPinAsync("480279", Cancellation);
        foreach (var realm in new[] { 1, 2, 3 })
        {
            await using var command = server.DataSource.CreateCommand(
                $"update realm_{realm}.vault_record set used = max_guesses, attempts = max_guesses "
                + $"where account_id = '{ada.Id}'");
            Assert.Equal(1, await command.ExecuteNonQueryAsync(Cancellation));
        }

        await ada.Device.RemovePinAsync(Cancellation);
        Assert.Equal(new byte[KeyLogEntry.DigestSize], await NamedAsync(ada));
    }

    [Fact(Timeout = SdkPerson.TimeoutMs)]
    public async Task A_wait_at_one_realm_alone_is_cancelled_there()
    {
        await using var host = await TestServer.StartAsync(server.ConnectionString, configure: _fault.AddTo);
        await using var ada = await SdkPerson.JoinAsync(host.Address);
        await ada.Device.SetPinAsync("480279", Cancellation);
        await ada.Device.CancelPinWaitAsync(Cancellation);
        await using var thief = await SdkPerson.NewDeviceAsync(host.Address, ada.Handle);
        var first = (await ada.Device.Client.VaultAsync(Cancellation)).Realms[0].ToString();
        _fault.Around = (context, carryOut) =>
            context.Request.Path.StartsWithSegments("/v1/vault/realms", StringComparison.Ordinal)
            && !context.Request.Path.Value!.Contains(first, StringComparison.OrdinalIgnoreCase)
                ? HttpFault.RefuseAsync(context, ErrorCode.Internal, "internal") : carryOut();
        var (step, _) = await new PinVault(thief.Client, RandomNumberGenerator.Fill).BeginWaitAsync(Cancellation);
        Assert.Equal(VaultRejection.SharesTooFew, step.Rejection);

        // Too few realms tell of waits for anybody to know.
        await Assert.ThrowsAsync<ChatPayException>(() => ada.Device.CancelPinWaitAsync(Cancellation));
        _fault.Around = null;
        Assert.Equal(1, await WaitsAsync(ada));
        await ada.Device.CancelPinWaitAsync(Cancellation);
        Assert.Equal(0, await WaitsAsync(ada));
    }

    private static async Task<OwnKeysRecord> OwnAsync(SdkPerson person) =>
        DeviceCore.Decode<OwnKeysRecord>((await person.Store.ReadAsync(StoreKeys.OwnKeys, Cancellation))!);

    private static bool IsEntry(HttpContext context, SdkPerson person) =>
        context.Request.Method == HttpMethods.Post && context.Request.Path == "/v1/keys/entries" && IsOf(context, person);

    private static bool IsWrapping(HttpContext context, SdkPerson person) =>
        context.Request.Method == HttpMethods.Put && context.Request.Path == "/v1/keys/wrapped" && IsOf(context, person);

    private static bool IsOf(HttpContext context, SdkPerson person) =>
        context.Request.Headers.Authorization.ToString().EndsWith(person.Device.Client.Token!, StringComparison.Ordinal);

    private static TaskCompletionSource NewSource() => new(TaskCreationOptions.RunContinuationsAsynchronously);

    private static async Task<int> WaitsAsync(SdkPerson person)
    {
        var told = await new PinVault(person.Device.Client, RandomNumberGenerator.Fill).ToldAsync(Cancellation);
        return told.Count(static one => one.Told.Wait is { State: VaultWaitState.Begun });
    }

    private async Task AssertRemovedAsync(SdkPerson person)
    {
        Assert.Equal(0, await StoredAsync(person));
        Assert.Equal(new byte[KeyLogEntry.DigestSize], await NamedAsync(person));
    }

    /// <summary>The digest that the person's chain has last; zeros where the PIN was removed.</summary>
    private static async Task<byte[]> NamedAsync(SdkPerson person)
    {
        var chain = await person.Device.Client.KeyChainAsync(person.Id, 0, 0, Cancellation);
        return chain.Entries
            .Select(static logged => KeyLogEntry.TryRead(logged.Entry, out var entry, out _) ? entry : null)
            .Last(static entry => entry?.Type == KeyLogEntryType.VaultConfigured)!.VaultDigest.ToArray();
    }

    /// <summary>How many realms have a registration.</summary>
    private async Task<long> StoredAsync(SdkPerson person)
    {
        await using var command = server.DataSource.CreateCommand(string.Join(
            " + ", Enumerable.Range(1, 3).Select(
                realm => $"(select count(*) from realm_{realm}.vault_record where account_id = '{person.Id}')"))
            .Insert(0, "select "));
        return (long)(await command.ExecuteScalarAsync(Cancellation))!;
    }
}
