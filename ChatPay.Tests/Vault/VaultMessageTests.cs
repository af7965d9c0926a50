using ChatPay.Core.Vault;
using ChatPay.Tests.Support;
using Xunit;

namespace ChatPay.Tests.Vault;

/// <summary>Every message has one encoding, of one length, and whatever is not it is refused.</summary>
public sealed class VaultMessageTests
{
    [Fact]
    public void Messages_have_the_sizes_that_are_documented()
    {
        Assert.Equal(18, Register1Request.SizeBytes);
        Assert.Equal(34, Register1Response.SizeBytes);
        Assert.Equal(524, Register2Request.SizeBytes);
        Assert.Equal(34, Register2Response.SizeBytes);
        Assert.Equal(18, Recover1Request.SizeBytes);
        Assert.Equal(79, Recover1Response.SizeBytes);
        Assert.Equal(66, Recover2Request.SizeBytes);
        Assert.Equal(325, Recover2Response.SizeBytes);
        Assert.Equal(82, Recover3Request.SizeBytes);
        Assert.Equal(146, Recover3Response.SizeBytes);
        Assert.Equal(98, DeleteRequest.SizeBytes);
        Assert.Equal(34, DeleteResponse.SizeBytes);
        Assert.Equal(102, ClearFailuresRequest.SizeBytes);
        Assert.Equal(34, ClearFailuresResponse.SizeBytes);
        Assert.Equal(21, RealmRefusal.SizeBytes);
        Assert.Equal(34, BeginWaitRequest.SizeBytes);
        Assert.Equal(54, WaitResponse.SizeBytes);
        Assert.Equal(114, CancelWaitRequest.SizeBytes);
        Assert.Equal(34, CancelWaitResponse.SizeBytes);
        Assert.Equal(459, RealmRecord.SizeBytes);
    }

    [Fact]
    public void Every_message_is_read_from_its_encoding_and_from_nothing_else()
    {
        using var vault = new TestVault();
        using var registration = vault.Registration();
        Check<Register2Request>(registration.Requests[0]);
        vault.Register();
        var version = vault.Records[0]!.Version;
        using var register1 = new Register1Request(vault.NextId());
        Check<Register1Request>(register1);
        using var registered = RealmSteps.Register1(register1, vault.Records[0]);
        Assert.Equal(version, registered.Version);
        Check<Register1Response>(registered);
        using var register2 = new Register2Response(vault.NextId(), version);
        Check<Register2Response>(register2);

        var told = vault.Recover1(1);
        Check<Recover1Request>(told.Request);
        CheckBytes<Recover1Response>(told.Response.ToArray());
        using var recovery = vault.Begin();
        var (one, two) = (vault.Evaluate(recovery, 1), vault.Evaluate(recovery, 2));
        Check<Recover2Request>(one.Request);
        CheckBytes<Recover2Response>(one.Response.ToArray());
        Assert.True(recovery.TakeEvaluations([one, two]).IsOk);
        var released = vault.Release(recovery, 1);
        Check<Recover3Request>(released.Request);
        CheckBytes<Recover3Response>(released.Response.ToArray());

        var realm = vault.Configuration.RealmOf(1);
        using var delete = new DeleteRequest(vault.NextId(), vault.User, realm, version, vault.IdentityKey);
        Check<DeleteRequest>(delete);
        using var clear = new ClearFailuresRequest(vault.NextId(), vault.User, realm, version, 3, vault.IdentityKey);
        Check<ClearFailuresRequest>(clear);
        using var refusal = new RealmRefusal(vault.NextId(), VaultRejection.TagWrong, 4);
        Check<RealmRefusal>(refusal);
        using var wait = new BeginWaitRequest(vault.NextId(), version);
        Check<BeginWaitRequest>(wait);
        using var waiting = new WaitResponse(vault.NextId(), version, new RealmWait(new WaitId(vault.NextId()), 259_200));
        Check<WaitResponse>(waiting);
        using var cancel = new CancelWaitRequest(
            vault.NextId(), vault.User, realm, version, waiting.Wait.Id, vault.IdentityKey);
        Check<CancelWaitRequest>(cancel);
        using var cancelled = new CancelWaitResponse(vault.NextId(), waiting.Wait.Id);
        Check<CancelWaitResponse>(cancelled);
    }

    [Fact]
    public void Fields_out_of_bounds_are_refused_by_kind()
    {
        using var vault = new TestVault();
        using var registration = vault.Registration();
        var bytes = registration.Requests[0].Encoding.ToArray();
        Assert.Equal(VaultRejection.VersionOther, Changed(bytes, 50, new byte[16]));
        Assert.Equal(VaultRejection.ParametersInvalid, Changed(bytes, 98, [2]));
        Assert.Equal(VaultRejection.ParametersInvalid, Changed(bytes, 99, [0x7f]));
        Assert.Equal(VaultRejection.ParametersInvalid, Changed(bytes, 103, [0]));
        Assert.Equal(VaultRejection.ParametersInvalid, Changed(bytes, 104, [2]));
        Assert.Equal(VaultRejection.IndexInvalid, Changed(bytes, 121, [0]));
        Assert.Equal(VaultRejection.IndexInvalid, Changed(bytes, 121, [17]));
        Assert.Equal(VaultRejection.ScalarInvalid, Changed(bytes, 218, new byte[32]));
        Assert.Equal(VaultRejection.ScalarInvalid, Changed(bytes, 249, [0xff]));
        Assert.Equal(VaultRejection.ScalarInvalid, Changed(bytes, 314, new byte[32]));
        Assert.Equal(VaultRejection.GuessesInvalid, Changed(bytes, 426, [0, 0]));
        Assert.Equal(VaultRejection.GuessesInvalid, Changed(bytes, 426, [0, 11]));
        Assert.Equal(VaultRejection.KeyInvalid, Changed(bytes, 428, new byte[32]));
    }

    private static VaultRejection Changed(byte[] bytes, int at, byte[] value)
    {
        byte[] changed = [.. bytes[..at], .. value, .. bytes[(at + value.Length)..]];
        Assert.False(VaultMessage.TryRead<Register2Request>(changed, out _, out var rejection));
        return rejection;
    }

    private static void Check<T>(VaultMessage message)
        where T : VaultMessage, IVaultMessage<T> => CheckBytes<T>(message.Encoding.ToArray());

    private static void CheckBytes<T>(byte[] bytes)
        where T : VaultMessage, IVaultMessage<T>
    {
        Assert.True(VaultMessage.TryRead<T>(bytes, out var read, out var rejection), $"{typeof(T).Name}: {rejection}");
        Assert.Equal(bytes, read.Encoding);
        read.Dispose();
        for (var length = 0; length < bytes.Length; length++)
        {
            Assert.False(VaultMessage.TryRead<T>(bytes.AsSpan(0, length), out _, out rejection));
            Assert.Equal(VaultRejection.LengthWrong, rejection);
        }

        Assert.False(VaultMessage.TryRead<T>([.. bytes, 0], out _, out rejection));
        Assert.Equal(VaultRejection.LengthWrong, rejection);
        Assert.False(VaultMessage.TryRead<T>([2, .. bytes[1..]], out _, out rejection));
        Assert.Equal(VaultRejection.UnknownVersion, rejection);
        Assert.False(VaultMessage.TryRead<T>([1, 99, .. bytes[2..]], out _, out rejection));
        Assert.Equal(VaultRejection.WrongMessage, rejection);
    }
}
