using System.Security.Cryptography;
using ChatPay.Client;
using ChatPay.Client.Internal;
using ChatPay.Client.Internal.Keys;
using ChatPay.Client.Internal.Vault;
using ChatPay.Core.Identity;
using ChatPay.Core.Protocol;
using ChatPay.Core.Vault;
using ChatPay.Tests.Support;
using Microsoft.AspNetCore.Http;
using Xunit;

namespace ChatPay.Tests.Client;

/// <summary>A PIN whose guesses cost less than those of one that is set today.</summary>
public sealed class PinStrengthTests(ServerFixture server) : IClassFixture<ServerFixture>
{
    private const string Typed = "480279";

    private static readonly PinHashParameters s_earlier = new(1024, 1, 1);

    private readonly HttpFault _fault = new();

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact(Timeout = SdkPerson.TimeoutMs)]
    public async Task It_is_registered_anew_when_it_is_recovered_with_the_same_root_secret()
    {
        await using var ada = await SdkPerson.JoinAsync(server.Address, with: Earlier);
        await ada.Device.SetPinAsync(Typed, Cancellation);
        Assert.Equal(s_earlier, await CostAsync(ada));
        await using var phone = await SdkPerson.NewDeviceAsync(server.Address, ada.Handle);
        await phone.RecoverAsync(Typed, Cancellation);
        Assert.Equal(PinHashParameters.Default, await CostAsync(ada));

        // It brings the account back, and who would make it cheaper leaves it as it is.
        await using var last = await ChatPayDevice.OpenAsync(
            Earlier(SdkPerson.Options(server.Address, new MemoryStore())), Cancellation);
        await last.SignInAsync(ada.Handle, Person.Password, Cancellation);
        await last.RecoverAsync(Typed, Cancellation);
        Assert.Equal(PinHashParameters.Default, await CostAsync(ada));
    }

    [Fact(Timeout = SdkPerson.TimeoutMs)]
    public async Task It_is_recovered_also_where_it_cannot_be_registered_anew()
    {
        await using var host = await TestServer.StartAsync(server.ConnectionString, configure: _fault.AddTo);
        await using var ada = await SdkPerson.JoinAsync(host.Address, with: Earlier);
        await ada.Device.SetPinAsync(Typed, Cancellation);
        await using var phone = await SdkPerson.NewDeviceAsync(host.Address, ada.Handle);
        var refused = 0;
        _fault.Around = (context, carryOut) =>
        {
            if (context.Request.Method != HttpMethods.Put || context.Request.Path != "/v1/keys/wrapped")
            {
                return carryOut();
            }

            refused++;
            return HttpFault.RefuseAsync(context, ErrorCode.Internal, "internal");
        };
        await phone.RecoverAsync(Typed, Cancellation);
        Assert.NotEqual(0, refused);
        Assert.Null(await phone.ApprovalCodeAsync(Cancellation));
    }

    private static ChatPayDeviceOptions Earlier(ChatPayDeviceOptions options) => options with { PinHash = s_earlier };

    /// <summary>What a guess costs, of the registration that the chain names and that opens what this device knows.</summary>
    private static async Task<PinHashParameters> CostAsync(SdkPerson person)
    {
        var chain = await person.Device.Client.KeyChainAsync(person.Id, 0, 0, Cancellation);
        var checkedChain = KeyLogFollower.Restore(person.Id, [.. chain.Entries.Select(static logged => logged.Entry)]);
        var own = DeviceCore.Decode<OwnKeysRecord>((await person.Store.ReadAsync(StoreKeys.OwnKeys, Cancellation))!);
        Assert.True(Pin.TryRead(Typed, out var pin, out _));
        using (pin)
        {
            var root = new byte[AccountKeys.RootSecretSize];
            PinHashParameters? found = null;
            var step = await new PinVault(person.Device.Client, RandomNumberGenerator.Fill).RecoverAsync(
                pin, root, checkedChain.VaultDigest.ToArray(), Cancellation, (parameters, _) => found = parameters);
            Assert.Equal(VaultRejection.None, step.Rejection);
            Assert.Equal(own.RootSecret, root);
            return found!.Value;
        }
    }
}
