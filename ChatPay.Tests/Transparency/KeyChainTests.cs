using ChatPay.Core.Cryptography;
using ChatPay.Core.Protocol;
using ChatPay.Core.Transparency;
using ChatPay.Tests.Support;
using Xunit;

namespace ChatPay.Tests.Transparency;

/// <summary>An account's chain comes to its keys and devices, and takes no entry that does not follow.</summary>
public sealed class KeyChainTests : IDisposable
{
    private static readonly AccountId s_account = new(TestVault.IdOf("account"));
    private static readonly DeviceId s_phone = new(TestVault.IdOf("phone"));
    private static readonly DeviceId s_tablet = new(TestVault.IdOf("tablet"));

    private readonly Key _identity = NewKey("identity");
    private readonly Key _nextIdentity = NewKey("next identity");
    private readonly Key _phoneKey = NewKey("phone");
    private readonly Key _tabletKey = NewKey("tablet");
    private readonly Key _stranger = NewKey("stranger");

    [Fact]
    public void A_chain_comes_to_the_identity_the_live_devices_and_the_vault()
    {
        var entries = Entries();
        Assert.Equal(LogRejection.None, KeyChain.Check(s_account, Bytes(entries), out var chain, out var failedAt));
        Assert.Equal(-1, failedAt);
        Assert.Equal(6, chain!.Length);
        Assert.Equal(_nextIdentity.PublicKey.Bytes, chain.IdentityKey);
        Assert.True(chain.HasDevice(s_tablet, _tabletKey.PublicKey.Bytes));
        Assert.False(chain.HasDevice(s_tablet, _phoneKey.PublicKey.Bytes));
        Assert.Equal([s_tablet], chain.Devices.Keys);
        Assert.Equal(Digest(), chain.VaultDigest);
        Assert.Equal(entries[^1].Hash(), chain.Head);
        Assert.Equal(0, chain.Resets);
    }

    [Fact]
    public void A_reset_revokes_every_device_and_shows()
    {
        var chain = Chain();
        Assert.Equal(LogRejection.None, chain.Append(KeyLogEntry.IdentityReset(chain.Next, _stranger)));
        Assert.Equal(1, chain.Resets);
        Assert.Empty(chain.Devices);
        Assert.True(chain.VaultDigest.IsEmpty);
        Assert.Equal(_stranger.PublicKey.Bytes, chain.IdentityKey);
        using var newKey = NewKey("again");
        Assert.Equal(
            LogRejection.DeviceKnown, chain.Append(KeyLogEntry.DeviceAdded(chain.Next, s_tablet, newKey, _stranger)));
    }

    [Fact]
    public void Entries_out_of_order_left_out_or_repeated_are_refused_where_they_are()
    {
        var bytes = Bytes(Entries());
        Assert.Equal(
            LogRejection.OutOfOrder, KeyChain.Check(s_account, [bytes[0], bytes[2], bytes[1]], out var chain, out var at));
        Assert.Null(chain);
        Assert.Equal(1, at);
        Assert.Equal(LogRejection.OutOfOrder, KeyChain.Check(s_account, [bytes[0], bytes[0]], out _, out at));
        Assert.Equal(1, at);
        Assert.Equal(LogRejection.OutOfOrder, KeyChain.Check(s_account, [bytes[1]], out _, out at));
        Assert.Equal(0, at);
    }

    [Fact]
    public void An_entry_of_another_history_is_told_as_forked()
    {
        var (one, other) = (Chain(1), Chain(1));
        Assert.Equal(LogRejection.None, one.Append(KeyLogEntry.DeviceAdded(one.Next, s_phone, _phoneKey, _identity)));
        Assert.Equal(LogRejection.None, other.Append(KeyLogEntry.DeviceAdded(other.Next, s_tablet, _tabletKey, _identity)));
        var next = KeyLogEntry.VaultConfigured(other.Next, Digest(), _identity);
        Assert.Equal(LogRejection.Forked, one.Append(next));
        Assert.Equal(LogRejection.None, other.Append(next));
    }

    [Fact]
    public void Only_the_identity_key_in_force_signs()
    {
        var chain = Chain(1);
        var before = chain.Head.ToArray();
        Assert.Equal(
            LogRejection.EntrySignatureInvalid,
            chain.Append(KeyLogEntry.DeviceAdded(chain.Next, s_phone, _phoneKey, _stranger)));
        Assert.Equal(
            LogRejection.EntrySignatureInvalid, chain.Append(KeyLogEntry.Identity(chain.Next, _nextIdentity, _nextIdentity)));
        Assert.Equal(before, chain.Head);
        Assert.Equal(1, chain.Length);
        Assert.Equal(LogRejection.None, chain.Append(KeyLogEntry.Identity(chain.Next, _nextIdentity, _identity)));
        Assert.Equal(
            LogRejection.EntrySignatureInvalid,
            chain.Append(KeyLogEntry.DeviceAdded(chain.Next, s_phone, _phoneKey, _identity)));
        Assert.Equal(
            LogRejection.None, chain.Append(KeyLogEntry.DeviceAdded(chain.Next, s_phone, _phoneKey, _nextIdentity)));
    }

    /// <summary>Otherwise an account could claim another's device key as its own.</summary>
    [Fact]
    public void A_key_whose_holder_did_not_agree_is_refused_although_the_identity_signed()
    {
        var chain = Chain(1);
        var bytes = KeyLogEntry.DeviceAdded(chain.Next, s_phone, _phoneKey, _identity).Encoding.ToArray();
        var end = bytes.Length - 64;
        SignatureAlgorithm.Ed25519.Sign(_stranger, bytes.AsSpan(0, end - 64)).CopyTo(bytes, end - 64);
        SignatureAlgorithm.Ed25519.Sign(_identity, [.. "chatpay key log v1 sign"u8, .. bytes.AsSpan(0, end)])
            .CopyTo(bytes, end);
        Assert.True(KeyLogEntry.TryRead(bytes, out var entry, out _));
        Assert.Equal(LogRejection.EntrySignatureInvalid, chain.Append(entry));
    }

    [Fact]
    public void Devices_and_keys_are_taken_once()
    {
        var chain = Chain();
        using var newKey = NewKey("new");
        Assert.Equal(LogRejection.DeviceUnknown, chain.Append(KeyLogEntry.DeviceRevoked(chain.Next, s_phone, _nextIdentity)));
        Assert.Equal(
            LogRejection.DeviceKnown, chain.Append(KeyLogEntry.DeviceAdded(chain.Next, s_phone, newKey, _nextIdentity)));
        Assert.Equal(
            LogRejection.DeviceKnown, chain.Append(KeyLogEntry.DeviceAdded(chain.Next, s_tablet, newKey, _nextIdentity)));
        var third = new DeviceId(TestVault.IdOf("third"));
        foreach (var used in new[] { _phoneKey, _tabletKey, _identity, _nextIdentity })
        {
            Assert.Equal(
                LogRejection.KeyReused, chain.Append(KeyLogEntry.DeviceAdded(chain.Next, third, used, _nextIdentity)));
        }

        Assert.Equal(LogRejection.KeyReused, chain.Append(KeyLogEntry.Identity(chain.Next, _identity, _nextIdentity)));
        Assert.Equal(LogRejection.None, chain.Append(KeyLogEntry.DeviceAdded(chain.Next, third, newKey, _nextIdentity)));
        Assert.Equal(LogRejection.None, chain.Append(KeyLogEntry.VaultConfigured(chain.Next, new byte[32], _nextIdentity)));
        Assert.True(chain.VaultDigest.IsEmpty);
    }

    [Fact]
    public void A_chain_begins_with_an_identity_of_its_own_account()
    {
        var chain = new KeyChain(s_account);
        Assert.Equal(
            LogRejection.BeginningInvalid, chain.Append(KeyLogEntry.DeviceAdded(chain.Next, s_phone, _phoneKey, _identity)));
        Assert.Equal(LogRejection.BeginningInvalid, chain.Append(KeyLogEntry.IdentityReset(chain.Next, _identity)));
        var other = KeyLogPlace.First(new AccountId(TestVault.IdOf("other")));
        Assert.Equal(LogRejection.AccountOther, chain.Append(KeyLogEntry.Identity(other, _identity, _identity)));
        Assert.Equal(
            LogRejection.EntrySignatureInvalid, chain.Append(KeyLogEntry.Identity(chain.Next, _identity, _stranger)));
        Assert.Equal(LogRejection.None, chain.Append(KeyLogEntry.Identity(chain.Next, _identity, _identity)));
    }

    [Fact]
    public void Any_byte_that_is_changed_and_any_other_length_is_refused()
    {
        foreach (var (i, entry) in Entries().Index())
        {
            var chain = Chain(i);
            var bytes = entry.Encoding.ToArray();
            for (var at = 0; at < bytes.Length; at++)
            {
                bytes[at] ^= 1;
                var isRead = KeyLogEntry.TryRead(bytes, out var read, out var rejection);
                Assert.NotEqual(LogRejection.None, isRead ? chain.Append(read!) : rejection);
                bytes[at] ^= 1;
            }

            for (var length = 0; length < bytes.Length; length++)
            {
                Assert.False(KeyLogEntry.TryRead(bytes.AsSpan(0, length), out _, out var rejection));
                Assert.Equal(LogRejection.EntryMalformed, rejection);
            }

            Assert.False(KeyLogEntry.TryRead([.. bytes, 0], out _, out _));
            Assert.True(KeyLogEntry.TryRead(bytes, out var whole, out _));
            Assert.Equal(LogRejection.None, chain.Append(whole));
        }
    }

    [Fact]
    public void The_public_leaf_depends_on_the_entry_and_the_salt()
    {
        var entries = Entries();
        var (salt, other) = (new byte[32], new byte[32]);
        other[0] = 1;
        Assert.Equal(32, entries[0].Leaf(salt).Length);
        Assert.NotEqual(entries[0].Leaf(salt), entries[0].Leaf(other));
        Assert.NotEqual(entries[0].Leaf(salt), entries[1].Leaf(salt));
        Assert.Equal(entries[0].Leaf(salt), Entries()[0].Leaf(salt));
        Assert.Throws<ArgumentException>(() => entries[0].Leaf(salt.AsSpan(1)));
    }

    public void Dispose()
    {
        foreach (var key in new[] { _identity, _nextIdentity, _phoneKey, _tabletKey, _stranger })
        {
            key.Dispose();
        }
    }

    /// <summary>Identity, phone added, tablet added, phone revoked, identity rotated, PIN set.</summary>
    private List<KeyLogEntry> Entries()
    {
        var chain = new KeyChain(s_account);
        var entries = new List<KeyLogEntry>();
        foreach (var make in new Func<KeyLogPlace, KeyLogEntry>[]
        {
            place => KeyLogEntry.Identity(place, _identity, _identity),
            place => KeyLogEntry.DeviceAdded(place, s_phone, _phoneKey, _identity),
            place => KeyLogEntry.DeviceAdded(place, s_tablet, _tabletKey, _identity),
            place => KeyLogEntry.DeviceRevoked(place, s_phone, _identity),
            place => KeyLogEntry.Identity(place, _nextIdentity, _identity),
            place => KeyLogEntry.VaultConfigured(place, Digest(), _nextIdentity),
        })
        {
            entries.Add(make(chain.Next));
            Assert.Equal(LogRejection.None, chain.Append(entries[^1]));
        }

        return entries;
    }

    private KeyChain Chain(int length = int.MaxValue)
    {
        var chain = new KeyChain(s_account);
        foreach (var entry in Entries().Take(length))
        {
            Assert.Equal(LogRejection.None, chain.Append(entry));
        }

        return chain;
    }

    private static byte[] Digest() => [.. Enumerable.Repeat((byte)0xd1, 32)];

    private static List<ReadOnlyMemory<byte>> Bytes(IEnumerable<KeyLogEntry> entries) =>
        [.. entries.Select(entry => new ReadOnlyMemory<byte>(entry.Encoding.ToArray()))];

    private static Key NewKey(string seed) => TestVault.NewKey(TestVault.Stream(seed));
}
