using ChatPay.Core.Protocol;
using ChatPay.Core.Vault;
using ChatPay.Tests.Support;
using Xunit;

namespace ChatPay.Tests.Vault;

/// <summary>A realm's row opens with its key, for its account and registration, and not otherwise.</summary>
public sealed class RealmKeyTests
{
    [Fact]
    public void A_row_opens_for_its_account_and_registration_only()
    {
        using var vault = new TestVault();
        vault.Register();
        var record = vault.Records[0]!;
        using var key = NewKey("one");
        using var otherKey = NewKey("two");
        var row = key.Seal(record, vault.Random);
        Assert.True(key.TryOpen(row, record.Realm, record.User, record.Version, out var opened, out _));
        Assert.Equal(record.Encoding, opened.Encoding);
        opened.Dispose();

        var user = new AccountId(TestVault.IdOf("other"));
        var version = new RegistrationVersion(TestVault.IdOf("other"));
        var realm = vault.Configuration.RealmOf(2);
        Assert.False(key.TryOpen(row, record.Realm, user, record.Version, out _, out var rejection));
        Assert.Equal(VaultRejection.RecordUnreadable, rejection);
        Assert.False(key.TryOpen(row, record.Realm, record.User, version, out _, out _));
        Assert.False(key.TryOpen(row, realm, record.User, record.Version, out _, out _));
        Assert.False(otherKey.TryOpen(row, record.Realm, record.User, record.Version, out _, out _));
    }

    [Fact]
    public void A_row_with_any_byte_changed_or_of_another_length_does_not_open()
    {
        using var vault = new TestVault();
        vault.Register();
        var record = vault.Records[0]!;
        using var key = NewKey("one");
        var row = key.Seal(record, vault.Random);
        for (var at = 0; at < row.Length; at++)
        {
            row[at] ^= 0x10;
            Assert.False(key.TryOpen(row, record.Realm, record.User, record.Version, out _, out _), $"byte {at}");
            row[at] ^= 0x10;
        }

        Assert.False(key.TryOpen(row.AsSpan(1), record.Realm, record.User, record.Version, out _, out _));
        Assert.False(key.TryOpen([], record.Realm, record.User, record.Version, out _, out _));
        Assert.False(key.TryOpen([.. row, 0], record.Realm, record.User, record.Version, out _, out _));
    }

    [Fact]
    public void Two_rows_of_one_record_have_nothing_in_common_and_hold_none_of_it()
    {
        using var vault = new TestVault();
        vault.Register();
        var record = vault.Records[0]!;
        using var key = NewKey("one");
        var (one, two) = (key.Seal(record, vault.Random), key.Seal(record, vault.Random));
        Assert.NotEqual(one[1..33], two[1..33]);
        Assert.NotEqual(one[33..], two[33..]);
        Assert.Equal(-1, one.AsSpan().IndexOf(record.KeyShare));
        Assert.Equal(-1, one.AsSpan().IndexOf(record.UnlockCommitment));
    }

    [Fact]
    public void A_disposed_record_and_message_hold_nothing_more()
    {
        using var vault = new TestVault();
        using var registration = vault.Registration();
        var request = registration.Requests[0];
        using var reply = RealmSteps.Register2(request.Realm, vault.User, null, request, default, out var record);
        record!.Dispose();
        request.Dispose();
        Assert.Throws<ObjectDisposedException>(() => record.Version);
        Assert.Throws<ObjectDisposedException>(() => request.Version);
    }

    private static RealmKey NewKey(string seed)
    {
        var bytes = new byte[RealmKey.SizeBytes];
        TestVault.Stream(seed)(bytes);
        return RealmKey.Import(bytes);
    }
}
