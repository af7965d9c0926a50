using ChatPay.Core.Vault;
using ChatPay.Tests.Support;
using Xunit;

namespace ChatPay.Tests.Vault;

/// <summary>A PIN brings the root secret back, a wrong one does not, and whoever lies is named.</summary>
public sealed class RecoveryTests
{
    private const string WrongPin = "480278";

    [Theory]
    [InlineData(0, 5, 8, 5)]
    [InlineData(0, 0, 8, 0)]
    [InlineData(0, 0, 0, 0)]
    public void A_realm_without_guesses_uses_the_vault_up_only_together_with_others(int one, int two, int three, int left)
    {
        using var vault = Registered();
        using var recovery = vault.Begin(WrongPin);
        var step = recovery.TakeEvaluations(
            [vault.Evaluate(recovery, 1, one), vault.Evaluate(recovery, 2, two), vault.Evaluate(recovery, 3, three)]);
        Assert.Equal((VaultRejection.WrongPin, left), (step.Rejection, step.GuessesLeft));
        Assert.Equal(new[] { one, two, three }.Count(static guesses => guesses == 0), step.UsedUp.Count);
    }

    [Theory]
    [InlineData(1, 1)]
    [InlineData(3, 2)]
    [InlineData(3, 3)]
    [InlineData(5, 3)]
    public void The_right_PIN_and_any_threshold_of_realms_give_the_root_secret(int realms, int threshold)
    {
        using var vault = new TestVault(realms, threshold);
        vault.Register();
        foreach (var set in Enumerable.Range(1, (1 << realms) - 1))
        {
            var asked = vault.Indices.Where(index => (set & (1 << (index - 1))) != 0).ToList();
            var step = RecoveryStart.Choose(
                vault.User, vault.Configuration, [.. asked.Select(vault.Recover1)], out var start);
            Assert.Equal(asked.Count >= threshold, step.IsOk);
            Assert.Equal(asked.Count >= threshold ? VaultRejection.None : VaultRejection.SharesTooFew, step.Rejection);
            if (start is null)
            {
                continue;
            }

            Assert.Equal(asked, start.Realms);
            using var pin = TestVault.PinOf("480279");
            using var recovery = VaultRecovery.Begin(
                start.Context, vault.Configuration, pin, vault.Digest, vault.Random);
            Assert.True(recovery.TakeEvaluations([.. asked.Select(index => vault.Evaluate(recovery, index))]).IsOk);
            Assert.Equal(asked, recovery.Unlocked);
            var root = new byte[32];
            Assert.True(recovery.TakeShares([.. asked.Select(index => vault.Release(recovery, index))], root).IsOk);
            Assert.Equal(vault.Root, root);
        }
    }

    [Fact]
    public void A_wrong_PIN_is_told_as_that_with_the_fewest_guesses_left_and_unlocks_nothing()
    {
        using var vault = Registered();
        using var recovery = vault.Begin(WrongPin);
        var step = recovery.TakeEvaluations(
            [vault.Evaluate(recovery, 1, 7), vault.Evaluate(recovery, 2, 5), vault.Evaluate(recovery, 3, 8)]);
        Assert.Equal(VaultRejection.WrongPin, step.Rejection);
        Assert.Equal(5, step.GuessesLeft);
        Assert.Empty(step.Faults);
        Assert.Empty(recovery.Unlocked);
        Assert.Throws<InvalidOperationException>(() => recovery.ReleaseRequest(1));
        Assert.Throws<InvalidOperationException>(() => recovery.TakeShares([], new byte[32]));
    }

    [Theory]
    [InlineData("480279", VaultRejection.None)]
    [InlineData(WrongPin, VaultRejection.WrongPin)]
    public void A_realm_that_evaluates_with_another_key_is_named_and_the_others_suffice(string pin, VaultRejection outcome)
    {
        using var vault = Registered();
        using var recovery = vault.Begin(pin);
        var answers = vault.Indices.Select(index => vault.Evaluate(recovery, index)).ToArray();
        answers[1] = Changed(answers[1], EvaluatedAt, vault.Records[0]!.PublicShare);
        var step = recovery.TakeEvaluations(answers);
        Assert.Equal(outcome, step.Rejection);
        Assert.Equal([new RealmFault(2, vault.Configuration.RealmOf(2), VaultRejection.ProofInvalid)], step.Faults);
        Assert.True(step.Faults[0].IsLie);
    }

    [Fact]
    public void A_realm_that_made_up_a_registration_of_its_own_is_in_the_minority_and_named()
    {
        using var vault = Registered();
        PutMadeUp(vault, 3);
        using var recovery = vault.Begin();
        var step = recovery.TakeEvaluations([.. vault.Indices.Select(index => vault.Evaluate(recovery, index))]);
        Assert.True(step.IsOk);
        Assert.Equal([new RealmFault(3, vault.Configuration.RealmOf(3), VaultRejection.RealmsDisagree)], step.Faults);
        Assert.Equal([1, 2], recovery.Unlocked);
    }

    [Fact]
    public void One_against_one_nobody_can_tell_who_lies_but_the_key_log_can()
    {
        using var vault = Registered();
        PutMadeUp(vault, 3);
        using var blind = vault.Begin();
        var step = blind.TakeEvaluations([vault.Evaluate(blind, 1), vault.Evaluate(blind, 3)]);
        Assert.Equal(VaultRejection.RealmsDisagree, step.Rejection);
        Assert.Equal([1, 3], step.Faults.Select(fault => fault.Index));

        using var pinned = vault.Begin(isPinned: true);
        step = pinned.TakeEvaluations([vault.Evaluate(pinned, 1), vault.Evaluate(pinned, 3)]);
        Assert.Equal(VaultRejection.RealmsDisagree, step.Rejection);
        Assert.Equal([3], step.Faults.Select(fault => fault.Index));
    }

    [Fact]
    public void A_share_of_another_realm_is_told_as_swapped()
    {
        using var vault = Registered();
        using var recovery = vault.Begin();
        var answers = vault.Indices.Select(index => vault.Evaluate(recovery, index)).ToArray();
        var other = vault.Evaluate(recovery, 2);
        answers[0] = new RealmAnswer(1, other.Request, other.Response);
        var step = recovery.TakeEvaluations(answers);
        Assert.True(step.IsOk);
        Assert.Equal(VaultRejection.ShareSwapped, Assert.Single(step.Faults).Reason);

        var released = new[] { vault.Release(recovery, 2), vault.Release(recovery, 3) };
        var root = new byte[32];
        var swapped = released[1] with { Response = Rewritten(released[0].Response, released[1].Request.RequestId) };
        step = recovery.TakeShares([released[0], swapped], root);
        Assert.Equal(VaultRejection.ShareForged, step.Rejection);
        Assert.Equal(3, Assert.Single(step.Faults).Index);
        Assert.Equal(new byte[32], root);
        Assert.True(recovery.TakeShares(released, root).IsOk);
    }

    [Fact]
    public void An_earlier_answer_is_told_as_replayed_and_with_the_new_id_its_proof_fails()
    {
        using var vault = Registered();
        using var earlier = vault.Begin();
        var old = vault.Evaluate(earlier, 1);
        using var recovery = vault.Begin();
        var (fresh, other) = (vault.Evaluate(recovery, 1), vault.Evaluate(recovery, 2));
        var step = recovery.TakeEvaluations([fresh with { Response = old.Response }, other]);
        Assert.Equal(VaultRejection.ResponseReplayed, step.Rejection);
        Assert.Equal(1, Assert.Single(step.Faults).Index);

        step = recovery.TakeEvaluations(
            [fresh with { Response = Rewritten(old.Response, fresh.Request.RequestId) }, other]);
        Assert.Equal(VaultRejection.ProofInvalid, step.Rejection);
        Assert.True(recovery.TakeEvaluations([fresh, other]).IsOk);
    }

    [Fact]
    public void Realms_at_different_registrations_are_told_apart_before_a_guess_is_spent()
    {
        using var vault = Registered();
        vault.Register("739156", 1);
        var step = RecoveryStart.Choose(
            vault.User, vault.Configuration, [.. vault.Indices.Select(vault.Recover1)], out var start);
        Assert.True(step.IsOk);
        Assert.Equal([2, 3], start!.Realms);
        Assert.Equal(VaultRejection.VersionMixed, Assert.Single(step.Faults).Reason);

        step = RecoveryStart.Choose(
            vault.User, vault.Configuration, [vault.Recover1(1), vault.Recover1(2)], out start);
        Assert.Equal(VaultRejection.VersionMixed, step.Rejection);
        Assert.Equal(2, step.Faults.Count);
        Assert.Null(start);

        using var recovery = vault.Begin(version: vault.Records[1]!.Version);
        step = recovery.TakeEvaluations([vault.Evaluate(recovery, 1), vault.Evaluate(recovery, 2)]);
        Assert.Equal(VaultRejection.VersionOther, step.Rejection);
        Assert.Equal(1, Assert.Single(step.Faults).Index);
    }

    [Fact]
    public void Points_and_messages_that_are_none_are_told_by_kind()
    {
        using var vault = Registered();
        using var recovery = vault.Begin();
        var (one, two) = (vault.Evaluate(recovery, 1), vault.Evaluate(recovery, 2));
        byte[] notCanonical = [.. Enumerable.Repeat((byte)0xff, 32)];
        Assert.Equal(VaultRejection.PointIdentity, FaultOf(Changed(one, EvaluatedAt, new byte[32])));
        Assert.Equal(VaultRejection.PointInvalid, FaultOf(Changed(one, EvaluatedAt, notCanonical)));
        Assert.Equal(VaultRejection.LengthWrong, FaultOf(one with { Response = one.Response[..^1] }));
        Assert.Equal(VaultRejection.LengthWrong, FaultOf(one with { Response = new byte[] { 1 } }));
        Assert.Equal(VaultRejection.UnknownVersion, FaultOf(Changed(one, 0, [9])));
        Assert.Equal(VaultRejection.WrongMessage, FaultOf(Changed(one, 1, [6])));
        Assert.Equal(VaultRejection.CertificateInvalid, FaultOf(Changed(one, CertificateAt, new byte[64])));
        Assert.Equal(VaultRejection.ShareSwapped, FaultOf(Changed(one, IndexAt, [2])));
        Assert.True(recovery.TakeEvaluations([one, two]).IsOk);

        VaultRejection FaultOf(RealmAnswer answer)
        {
            var step = recovery.TakeEvaluations([answer, two]);
            Assert.Equal(step.Rejection, Assert.Single(step.Faults).Reason);
            return step.Rejection;
        }
    }

    [Fact]
    public void Any_bit_of_an_evaluation_that_is_changed_is_noticed()
    {
        using var vault = Registered();
        using var recovery = vault.Begin();
        var (one, two) = (vault.Evaluate(recovery, 1), vault.Evaluate(recovery, 2));
        for (var at = 0; at < one.Response.Length; at++)
        {
            // The attempt and the guesses left are the realm's to say.
            if (at is < AttemptAt or >= AttemptAt + 18)
            {
                var changed = Changed(one, at, [(byte)(one.Response.Span[at] ^ 1)]);
                var step = recovery.TakeEvaluations([changed, two]);
                Assert.False(step.IsOk, $"byte {at}");
                Assert.NotEqual(VaultRejection.WrongPin, step.Rejection);
            }
        }

        Assert.True(recovery.TakeEvaluations([one, two]).IsOk);
    }

    [Fact]
    public void Any_bit_of_a_released_share_that_is_changed_is_noticed()
    {
        using var vault = Registered();
        using var recovery = vault.Begin();
        Assert.True(recovery.TakeEvaluations([vault.Evaluate(recovery, 1), vault.Evaluate(recovery, 2)]).IsOk);
        var (one, two) = (vault.Release(recovery, 1), vault.Release(recovery, 2));
        var root = new byte[32];
        for (var at = 0; at < one.Response.Length; at++)
        {
            var changed = Changed(one, at, [(byte)(one.Response.Span[at] ^ 1)]);
            Assert.False(recovery.TakeShares([changed, two], root).IsOk, $"byte {at}");
            Assert.Equal(new byte[32], root);
        }

        Assert.True(recovery.TakeShares([one, two], root).IsOk);
        Assert.Equal(vault.Root, root);
    }

    [Fact]
    public void What_realms_refuse_is_told_by_its_reason()
    {
        using var vault = Registered();
        using var recovery = vault.Begin();
        var one = vault.Evaluate(recovery, 1);
        using var exhausted = new RealmRefusal(one.Request.RequestId, VaultRejection.GuessesExhausted);
        var step = recovery.TakeEvaluations([one with { Response = exhausted.Encoding.ToArray() }]);
        Assert.Equal(VaultRejection.GuessesExhausted, step.Rejection);
        Assert.Equal([1], step.UsedUp);
        Assert.Null(step.GuessesLeft);

        // A realm cannot say on the client's behalf that the PIN was wrong.
        using var pretended = new RealmRefusal(one.Request.RequestId, VaultRejection.WrongPin);
        step = recovery.TakeEvaluations([one with { Response = pretended.Encoding.ToArray() }]);
        Assert.Equal(VaultRejection.WrongMessage, step.Rejection);
        Assert.Throws<ArgumentException>(() => recovery.TakeEvaluations([one, one]));
        Assert.Throws<ArgumentException>(() => recovery.TakeEvaluations([one with { Index = 4 }]));
    }

    [Fact]
    public void A_realm_that_offers_another_work_for_the_PIN_is_outvoted()
    {
        using var vault = Registered();
        var answers = vault.Indices.Select(vault.Recover1).ToArray();
        answers[0] = Changed(answers[0], 18 + 16 + 32 + 5, [2]);
        var step = RecoveryStart.Choose(vault.User, vault.Configuration, answers, out var start);
        Assert.True(step.IsOk);
        Assert.Equal(TestVault.Cheap, start!.Context.Parameters);
        Assert.Equal([2, 3], start.Realms);
    }

    private const int AttemptAt = 18 + 16;
    private const int IndexAt = AttemptAt + 16 + 2 + 16;
    private const int CertificateAt = IndexAt + 1 + 32 + 32;
    private const int EvaluatedAt = CertificateAt + 64 + 32;

    private static TestVault Registered()
    {
        var vault = new TestVault();
        vault.Register();
        return vault;
    }

    /// <summary>A registration that one realm invents: same context, keys of its own.</summary>
    private static void PutMadeUp(TestVault vault, int index)
    {
        using var other = new TestVault(seed: "made up");
        var version = vault.Records[0]!.Version;
        using var pin = TestVault.PinOf(WrongPin);
        var isFirst = true;
        using var registration = VaultRegistration.Create(
            new VaultRegistrationPlan(vault.User, vault.Configuration, TestVault.Cheap, new RegistrationVersion[3]),
            pin, vault.Root, other.IdentityKey, other.IdentityKey, destination =>
            {
                other.Random(destination);
                if (isFirst)
                {
                    version.Value.TryWriteBytes(destination, bigEndian: true, out _);
                    isFirst = false;
                }
            });
        using var reply = RealmSteps.Register2(
            vault.Configuration.RealmOf(index), vault.User, null, registration.Requests[index - 1], default, out var record);
        Assert.NotNull(record);
        vault.Put(index, record);
    }

    private static RealmAnswer Changed(RealmAnswer answer, int at, ReadOnlySpan<byte> bytes)
    {
        var changed = answer.Response.ToArray();
        bytes.CopyTo(changed.AsSpan(at));
        return answer with { Response = changed };
    }

    private static byte[] Rewritten(ReadOnlyMemory<byte> response, Guid requestId)
    {
        var bytes = response.ToArray();
        requestId.TryWriteBytes(bytes.AsSpan(2), bigEndian: true, out _);
        return bytes;
    }
}
