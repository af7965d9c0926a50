using System.Security.Cryptography;
using ChatPay.Client;
using ChatPay.Core.Protocol;
using ChatPay.Core.Transparency;
using ChatPay.Server.Hosting;
using ChatPay.Server.Transparency;
using ChatPay.Tests.Support;
using Microsoft.Extensions.DependencyInjection;
using Npgsql;
using Xunit;

namespace ChatPay.Tests.Transparency;

/// <summary>Devices that entries of a chain put out are signed in no more, whatever becomes of the node that took them.</summary>
public sealed class KeyChainRevocationTests(PostgresFixture postgres)
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    /// <summary>The transaction is all that a node that dies right after it has done.</summary>
    [Fact]
    public async Task What_entries_put_out_is_revoked_with_them_by_a_node_that_does_nothing_else()
    {
        var database = await postgres.CreateDatabaseAsync();
        await using var server = await TestServer.StartAsync(database);
        await using var old = await Person.JoinAsync(server.Address);
        await old.BeginChainAsync();
        await using var fresh = await old.OnAnotherDeviceAsync();
        using var identity = TestMls.NewSignatureKey();
        var chained = await old.Client.KeyChainAsync(old.Id, 0, 0, Cancellation);
        Assert.True(KeyLogEntry.TryRead(chained.Entries[^1].Entry, out var last, out _));
        var reset = KeyLogEntry.IdentityReset(new KeyLogPlace(old.Id, chained.Length, last.Hash()), identity);
        var added = KeyLogEntry.DeviceAdded(
            new KeyLogPlace(old.Id, reset.Sequence + 1, reset.Hash()), fresh.Device, fresh.Key, identity);
        byte[][] entries = [reset.Encoding.ToArray(), added.Encoding.ToArray()];
        var caller = new Caller(fresh.Id, fresh.Device);
        var changed = await server.Services.GetRequiredService<KeyChainStore>().ChangeAsync(
            caller, KeyChainRules.Named(entries),
            (stored, devices) =>
            {
                Assert.Equal(LogRejection.None, KeyChain.Check(
                    fresh.Id, [.. stored.Select(static entry => new ReadOnlyMemory<byte>(entry))], out var chain, out _));
                return KeyChainRules.Decide(chain!, stored, caller, devices, entries);
            },
            static () => RandomNumberGenerator.GetBytes(KeyLogEntry.SaltSize), Cancellation);
        Assert.Equal([old.Device], changed.Value.Revoked);

        // Another node, which remembers no session.
        await using var other = await TestServer.StartAsync(database);
        using var client = new ChatPayClient(other.Address, old.Client.Token);
        var gone = await Person.ErrorOf(client.MeAsync(Cancellation));
        Assert.Contains((ErrorCode)gone.Code, new[] { ErrorCode.DeviceRevoked, ErrorCode.Unauthenticated });
        await using var source = NpgsqlDataSource.Create(database);
        await using var count = source.CreateCommand(
            $"select count(*) from device where id = '{old.Device}' and revoked_at is not null and recognition_hash is null");
        Assert.Equal(1L, await count.ExecuteScalarAsync(Cancellation));
    }
}
