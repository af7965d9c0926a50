using ChatPay.Core.Cryptography;
using ChatPay.Core.Protocol;
using ChatPay.Core.Vault;
using ChatPay.Tests.Support;
using Xunit;

namespace ChatPay.Tests.Vault;

/// <summary>What a realm does, and what it refuses and leaves as it was.</summary>
public sealed class RealmStepsTests
{
    private static readonly RealmPermit s_passedWait = new(new RealmWait(new WaitId(TestVault.IdOf("wait")), 0));
    private static readonly RealmPermit s_wait = new(new RealmWait(new WaitId(TestVault.IdOf("wait")), 7));

    [Fact]
    public void An_overwrite_takes_the_signature_of_the_identity_key_that_the_record_names()
    {
        using var vault = new TestVault();
        vault.Register();
        using var stranger = TestVault.NewKey(vault.Random);
        using var forged = vault.Registration("739156", signer: stranger);
        Assert.Equal(VaultRejection.SignatureInvalid, Register(vault, forged.Requests[0]));
        Assert.Equal(VaultRejection.SignatureInvalid, Register(vault, forged.Requests[0], s_passedWait));

        using var own = vault.Registration("739156");
        Assert.Equal(VaultRejection.None, Register(vault, own.Requests[0]));
    }

    [Fact]
    public void After_the_wait_a_new_identity_key_may_overwrite()
    {
        using var vault = new TestVault();
        vault.Register();
        using var newIdentity = TestVault.NewKey(vault.Random);
        using var pin = TestVault.PinOf("739156");
        using var registration = VaultRegistration.Create(
            new VaultRegistrationPlan(
                vault.User, vault.Configuration, TestVault.Cheap, [.. vault.Records.Select(record => record!.Version)]),
            pin, vault.Root, newIdentity, newIdentity, vault.Random);
        Assert.Equal(VaultRejection.SignatureInvalid, Register(vault, registration.Requests[0]));
        Assert.Equal(VaultRejection.None, Register(vault, registration.Requests[0], s_passedWait));
    }

    [Fact]
    public void While_a_wait_lasts_what_it_will_allow_is_told_the_seconds_and_nothing_else_is()
    {
        using var vault = new TestVault();
        vault.Register();
        using var stranger = TestVault.NewKey(vault.Random);
        using var forged = vault.Registration("739156", signer: stranger);
        Assert.Equal(VaultRejection.SignatureInvalid, Register(vault, forged.Requests[0], s_wait));
        using var renamed = Renamed(vault, stranger);
        using var reply = RealmSteps.Register2(
            renamed.Requests[0].Realm, vault.User, vault.Records[0], renamed.Requests[0], s_wait, out var next);
        Assert.Null(next);
        Assert.Equal(s_wait.Wait, Assert.IsType<WaitResponse>(reply).Wait);
        using var unsigned = new DeleteRequest(vault.NextId(), vault.Records[0]!.Version);
        using var pending = RealmSteps.Delete(unsigned, vault.Records[0], s_wait);
        Assert.Equal(s_wait.Wait, Assert.IsType<WaitResponse>(pending).Wait);
    }

    [Fact]
    public void A_wait_is_cancelled_by_the_identity_key_and_by_its_own_name_only()
    {
        using var vault = new TestVault();
        vault.Register();
        var (realm, version) = (vault.Configuration.RealmOf(1), vault.Records[0]!.Version);
        using var stranger = TestVault.NewKey(vault.Random);
        Assert.Equal(VaultRejection.None, Cancel(s_wait.Wait!.Value.Id, vault.IdentityKey, s_wait));
        Assert.Equal(VaultRejection.None, Cancel(s_wait.Wait!.Value.Id, vault.IdentityKey, s_passedWait));
        Assert.Equal(VaultRejection.SignatureInvalid, Cancel(s_wait.Wait!.Value.Id, stranger, s_wait));
        Assert.Equal(VaultRejection.WaitUnknown, Cancel(new WaitId(vault.NextId()), vault.IdentityKey, s_wait));
        Assert.Equal(VaultRejection.WaitUnknown, Cancel(default, vault.IdentityKey, default));
        Assert.Equal(
            VaultRejection.None, Cancel(s_wait.Wait!.Value.Id, stranger, s_wait with { InForce = PublicKeyOf(stranger) }));

        VaultRejection Cancel(WaitId wait, Key signer, RealmPermit permit)
        {
            using var request = new CancelWaitRequest(vault.NextId(), vault.User, realm, version, wait, signer);
            using var reply = RealmSteps.CancelWait(request, vault.Records[0], permit);
            return ReasonOf(reply);
        }
    }

    [Fact]
    public void The_key_in_force_by_the_key_log_decides_where_it_is_known()
    {
        using var vault = new TestVault();
        using var other = TestVault.NewKey(vault.Random);
        var (mine, others) = (new RealmPermit(null, PublicKeyOf(vault.IdentityKey)), new RealmPermit(null, PublicKeyOf(other)));
        using var first = vault.Registration();
        Assert.Equal(VaultRejection.IdentityOther, Register(vault, first.Requests[0], others));
        Assert.Equal(VaultRejection.None, Register(vault, first.Requests[0], mine, keep: true));

        // The log has gone on to another key: that one overwrites and deletes, and the record's own does not any more.
        using var next = Renamed(vault, other, first.Context.Version);
        Assert.Equal(VaultRejection.SignatureInvalid, Register(vault, next.Requests[0]));
        Assert.Equal(VaultRejection.None, Register(vault, next.Requests[0], others));
        using var again = vault.Registration("739156");
        Assert.Equal(VaultRejection.IdentityOther, Register(vault, again.Requests[0], others));
        Assert.Equal(VaultRejection.None, Register(vault, again.Requests[0], mine));
        var (realm, version) = (vault.Configuration.RealmOf(1), first.Context.Version);
        using var old = new DeleteRequest(vault.NextId(), vault.User, realm, version, vault.IdentityKey);
        using var inForce = new DeleteRequest(vault.NextId(), vault.User, realm, version, other);
        using var refused = RealmSteps.Delete(old, vault.Records[0], others);
        using var deleted = RealmSteps.Delete(inForce, vault.Records[0], others);
        Assert.Equal(VaultRejection.SignatureInvalid, ReasonOf(refused));
        Assert.Equal(VaultRejection.None, ReasonOf(deleted));
    }

    [Fact]
    public void A_registration_names_what_it_replaces_so_an_old_one_is_not_taken_again()
    {
        using var vault = new TestVault();
        using var first = vault.Registration();
        Assert.Equal(VaultRejection.None, Register(vault, first.Requests[0], keep: true));
        Assert.Equal(VaultRejection.VersionOther, Register(vault, first.Requests[0]));
        using var second = vault.Registration("739156");
        Assert.Equal(VaultRejection.None, Register(vault, second.Requests[0], keep: true));
        Assert.Equal(VaultRejection.VersionOther, Register(vault, first.Requests[0]));
    }

    [Fact]
    public void A_registration_for_another_account_or_realm_or_with_another_share_is_refused()
    {
        using var vault = new TestVault();
        using var registration = vault.Registration();
        var request = registration.Requests[0];
        using var reply = RealmSteps.Register2(
            request.Realm, new AccountId(TestVault.IdOf("other")), null, request, default, out var next);
        Assert.Equal(VaultRejection.AddresseeOther, ((RealmRefusal)reply).Reason);
        Assert.Null(next);
        using var elsewhere = RealmSteps.Register2(
            vault.Configuration.RealmOf(2), vault.User, null, request, default, out _);
        Assert.Equal(VaultRejection.AddresseeOther, ((RealmRefusal)elsewhere).Reason);

        // The share is signed over with the rest, so only the signer could exchange it; the certificate then says no.
        request.WriteShares(registration.Requests[1].KeyShare, request.RootShare, request.EncryptedRoot);
        Assert.Equal(VaultRejection.SignatureInvalid, Register(vault, request));
        request.Sign(vault.IdentityKey);
        Assert.Equal(VaultRejection.CertificateInvalid, Register(vault, request));
    }

    [Fact]
    public void A_guess_is_evaluated_only_when_it_was_granted_and_fits_the_record()
    {
        using var vault = new TestVault();
        vault.Register();
        using var recovery = vault.Begin();
        using var request = recovery.EvaluationRequest();
        var grant = AttemptGrant.Granted(new AttemptId(vault.NextId()), 9);
        Assert.Equal(VaultRejection.None, RealmSteps.MayGuess(request, vault.Records[0]));
        Assert.Equal(VaultRejection.NotRegistered, RealmSteps.MayGuess(request, null));
        using var evaluated = RealmSteps.Evaluate(request, vault.Records[0], grant, vault.Random);
        Assert.Equal(9, Assert.IsType<Recover2Response>(evaluated).GuessesLeft);
        foreach (var reason in new[] { VaultRejection.GuessesExhausted, VaultRejection.Locked })
        {
            using var refused = RealmSteps.Evaluate(request, vault.Records[0], AttemptGrant.Refused(reason), vault.Random);
            Assert.Equal(reason, Assert.IsType<RealmRefusal>(refused).Reason);
        }

        vault.Register("739156");
        Assert.Equal(VaultRejection.VersionOther, RealmSteps.MayGuess(request, vault.Records[0]));
        using var stale = RealmSteps.Evaluate(request, vault.Records[0], grant, vault.Random);
        Assert.Equal(VaultRejection.VersionOther, Assert.IsType<RealmRefusal>(stale).Reason);
        using var none = RealmSteps.Evaluate(request, null, grant, vault.Random);
        Assert.Equal(VaultRejection.NotRegistered, Assert.IsType<RealmRefusal>(none).Reason);
    }

    [Fact]
    public void A_share_is_released_for_this_realms_tag_and_this_open_attempt_only()
    {
        using var vault = new TestVault();
        vault.Register();
        using var recovery = vault.Begin();
        Assert.True(recovery.TakeEvaluations([vault.Evaluate(recovery, 1), vault.Evaluate(recovery, 2)]).IsOk);
        using var request = recovery.ReleaseRequest(1);
        using var forTwo = recovery.ReleaseRequest(2);
        Assert.Equal(VaultRejection.None, Release(request, vault.Records[0], request.Attempt));
        Assert.Equal(VaultRejection.TagWrong, Release(forTwo, vault.Records[0], forTwo.Attempt));
        Assert.Equal(VaultRejection.AttemptUnknown, Release(request, vault.Records[0], forTwo.Attempt));
        Assert.Equal(VaultRejection.NotRegistered, Release(request, null, request.Attempt));
        vault.Register("739156", 1);
        Assert.Equal(VaultRejection.VersionOther, Release(request, vault.Records[0], request.Attempt));
        using var closed = RealmSteps.Release(
            request, vault.Records[0], AttemptGrant.Refused(VaultRejection.AttemptUnknown));
        Assert.Equal(VaultRejection.AttemptUnknown, Assert.IsType<RealmRefusal>(closed).Reason);
    }

    [Fact]
    public void A_deletion_takes_the_identity_keys_signature_or_the_wait()
    {
        using var vault = new TestVault();
        vault.Register();
        var (realm, version) = (vault.Configuration.RealmOf(1), vault.Records[0]!.Version);
        using var stranger = TestVault.NewKey(vault.Random);
        using var forged = new DeleteRequest(vault.NextId(), vault.User, realm, version, stranger);
        using var elsewhere = new DeleteRequest(
            vault.NextId(), vault.User, vault.Configuration.RealmOf(2), version, vault.IdentityKey);
        using var own = new DeleteRequest(vault.NextId(), vault.User, realm, version, vault.IdentityKey);
        using var old = new DeleteRequest(
            vault.NextId(), vault.User, realm, new RegistrationVersion(vault.NextId()), vault.IdentityKey);
        Assert.Equal(VaultRejection.SignatureInvalid, Delete(forged, default));
        Assert.Equal(VaultRejection.SignatureInvalid, Delete(elsewhere, default));
        Assert.Equal(VaultRejection.VersionOther, Delete(old, default));
        Assert.Equal(VaultRejection.None, Delete(own, default));
        Assert.Equal(VaultRejection.None, Delete(forged, s_passedWait));

        VaultRejection Delete(DeleteRequest request, RealmPermit permit)
        {
            using var reply = RealmSteps.Delete(request, vault.Records[0], permit);
            return ReasonOf(reply);
        }
    }

    [Fact]
    public void A_statement_that_clears_failures_holds_at_one_count_of_attempts()
    {
        using var vault = new TestVault();
        vault.Register();
        var (realm, version) = (vault.Configuration.RealmOf(1), vault.Records[0]!.Version);
        using var own = new ClearFailuresRequest(vault.NextId(), vault.User, realm, version, 7, vault.IdentityKey);
        using var stranger = TestVault.NewKey(vault.Random);
        using var forged = new ClearFailuresRequest(vault.NextId(), vault.User, realm, version, 7, stranger);
        Assert.Equal(VaultRejection.None, Clear(own, 7));
        Assert.Equal(VaultRejection.CounterStale, Clear(own, 8));
        Assert.Equal(VaultRejection.SignatureInvalid, Clear(forged, 7));

        // The one key was replaced by the other, and the registration stayed.
        var rotated = new RealmPermit { InForce = PublicKeyOf(stranger) };
        Assert.Equal(VaultRejection.SignatureInvalid, Clear(own, 7, rotated));
        Assert.Equal(VaultRejection.None, Clear(forged, 7, rotated));

        VaultRejection Clear(ClearFailuresRequest request, uint attemptCount, RealmPermit permit = default)
        {
            using var reply = RealmSteps.ClearFailures(request, vault.Records[0], attemptCount, permit);
            return ReasonOf(reply);
        }
    }

    private static byte[] PublicKeyOf(Key key) => key.PublicKey.Export(KeyBlobFormat.RawPublicKey);

    /// <summary>A registration of another identity key, signed with that.</summary>
    private static VaultRegistration Renamed(TestVault vault, Key identityKey, RegistrationVersion? replaces = null)
    {
        using var pin = TestVault.PinOf("739156");
        return VaultRegistration.Create(
            new VaultRegistrationPlan(
                vault.User, vault.Configuration, TestVault.Cheap,
                [.. vault.Records.Select(record => replaces ?? record!.Version)]),
            pin, vault.Root, identityKey, identityKey, vault.Random);
    }

    private static VaultRejection ReasonOf(VaultMessage reply) =>
        reply is RealmRefusal refusal ? refusal.Reason : VaultRejection.None;

    private static VaultRejection Release(Recover3Request request, RealmRecord? record, AttemptId attempt)
    {
        using var reply = RealmSteps.Release(request, record, AttemptGrant.Granted(attempt, 9));
        return ReasonOf(reply);
    }

    private static VaultRejection Register(
        TestVault vault, Register2Request request, RealmPermit permit = default, bool keep = false)
    {
        using var reply = RealmSteps.Register2(
            request.Realm, vault.User, vault.Records[request.Index - 1], request, permit, out var next);
        Assert.Equal(reply is RealmRefusal, next is null);
        if (keep)
        {
            vault.Put(request.Index, next);
        }
        else
        {
            next?.Dispose();
        }

        return ReasonOf(reply);
    }
}
