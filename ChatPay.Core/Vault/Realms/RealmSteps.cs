using System.Security.Cryptography;
using ChatPay.Core.Cryptography;
using ChatPay.Core.Protocol;

namespace ChatPay.Core.Vault;

/// <summary>
/// What a realm decides, from its record of the account (null for none) and the request: pure, so the store around it
/// counts the guesses, writes and sends. Every answer repeats the request's id; what is refused is a
/// <see cref="RealmRefusal"/>, and has changed nothing.
/// </summary>
/// <remarks>
/// The caller has authenticated the account. It counts a guess, in a transaction that is committed, between
/// <see cref="MayGuess"/> and <see cref="Evaluate"/>; after a <see cref="Release"/> that was not refused it refunds the
/// attempt of the request.
/// </remarks>
public static class RealmSteps
{
    public static Register1Response Register1(Register1Request request, RealmRecord? record)
    {
        ArgumentNullException.ThrowIfNull(request);
        return new Register1Response(request.RequestId, record?.Version ?? RegistrationVersion.None);
    }

    /// <summary>
    /// Decides on a registration; the caller seals and stores the new record in place of the present one.
    /// </summary>
    /// <param name="self">This realm.</param>
    /// <param name="permit">What else than the record's identity key allows it.</param>
    /// <param name="next">Null where it is not carried out; else the caller disposes of it.</param>
    public static VaultMessage Register2(
        RealmId self, AccountId user, RealmRecord? record, Register2Request request, RealmPermit permit,
        out RealmRecord? next)
    {
        ArgumentNullException.ThrowIfNull(request);
        next = null;
        Span<byte> publicShare = stackalloc byte[Ristretto255.ElementSize];
        Oprf.DerivePublicKey(request.KeyShare, publicShare);
        var isItsOwn = request.IsSignedBy(request.IdentityKey);
        var isSigned = permit.InForce is { } inForce ? request.IsSignedBy(inForce)
            : record is null ? isItsOwn
            : request.IsSignedBy(record.IdentityKey);
        var rejection = request.User != user || request.Realm != self ? VaultRejection.AddresseeOther
            : (record?.Version ?? RegistrationVersion.None) != request.Replaces || request.Version == request.Replaces
                ? VaultRejection.VersionOther
            : permit.InForce is { } named && !request.IdentityKey.SequenceEqual(named) ? VaultRejection.IdentityOther
            : !isSigned && !(isItsOwn && permit.Wait is not null) ? VaultRejection.SignatureInvalid
            : !ShareCertificate.Verify(
                request.VerifyingKey, request.Context(), self, request.Index, publicShare, request.UnlockCommitment,
                request.Certificate) ? VaultRejection.CertificateInvalid
            : VaultRejection.None;
        if (rejection != VaultRejection.None)
        {
            return new RealmRefusal(request.RequestId, rejection);
        }

        if (!isSigned && permit.Wait is { IsOver: false } pending)
        {
            return new WaitResponse(request.RequestId, request.Replaces, pending);
        }

        next = RealmRecord.From(request, publicShare);
        return new Register2Response(request.RequestId, request.Version);
    }

    /// <summary>Whether the record is what this very request registered: then its answer was lost.</summary>
    public static bool IsStored(Register2Request request, RealmRecord record)
    {
        ArgumentNullException.ThrowIfNull(request);
        ArgumentNullException.ThrowIfNull(record);
        Span<byte> publicShare = stackalloc byte[Ristretto255.ElementSize];
        Oprf.DerivePublicKey(request.KeyShare, publicShare);
        using var asked = RealmRecord.From(request, publicShare);
        return CryptographicOperations.FixedTimeEquals(asked.Encoding, record.Encoding);
    }

    /// <param name="guesses">What the counter says without counting: guesses left, or why there are none.</param>
    /// <param name="attemptCount">Attempts ever counted for this registration.</param>
    public static VaultMessage Recover1(
        Recover1Request request, RealmRecord? record, AttemptGrant guesses, uint attemptCount)
    {
        ArgumentNullException.ThrowIfNull(request);
        return guesses.Rejection != VaultRejection.None ? new RealmRefusal(request.RequestId, guesses.Rejection)
            : record is null ? new RealmRefusal(request.RequestId, VaultRejection.NotRegistered)
            : new Recover1Response(request.RequestId, record.Context(), guesses.GuessesLeft, attemptCount);
    }

    /// <summary>Whether a guess may be counted at all: one that fits no record costs nothing.</summary>
    public static VaultRejection MayGuess(Recover2Request request, RealmRecord? record)
    {
        ArgumentNullException.ThrowIfNull(request);
        return record is null ? VaultRejection.NotRegistered
            : record.Version != request.Version ? VaultRejection.VersionOther
            : VaultRejection.None;
    }

    /// <summary>Evaluates the blinded PIN with the realm's share, once the guess is counted, and proves it.</summary>
    public static VaultMessage Evaluate(
        Recover2Request request, RealmRecord? record, AttemptGrant grant, FillRandom random)
    {
        ArgumentNullException.ThrowIfNull(request);
        if (grant.Rejection != VaultRejection.None)
        {
            return new RealmRefusal(request.RequestId, grant.Rejection);
        }

        if (MayGuess(request, record) is var rejection and not VaultRejection.None)
        {
            return new RealmRefusal(request.RequestId, rejection, grant.GuessesLeft);
        }

        Span<byte> evaluated = stackalloc byte[Oprf.ElementSize];
        Span<byte> proof = stackalloc byte[Oprf.ProofSize];
        return ThresholdOprf.BlindEvaluate(
                record!.KeyShare, record.PublicShare, request.BlindedElement, random, evaluated, proof)
            ? new Recover2Response(request.RequestId, record, grant.Attempt, grant.GuessesLeft, evaluated, proof)
            : new RealmRefusal(request.RequestId, VaultRejection.PointInvalid, grant.GuessesLeft);
    }

    /// <summary>Releases the realm's share for the right tag, compared in constant time.</summary>
    /// <param name="attempt">
    /// Granted where the request's attempt was counted for this account and registration and is still open.
    /// </param>
    public static VaultMessage Release(Recover3Request request, RealmRecord? record, AttemptGrant attempt)
    {
        ArgumentNullException.ThrowIfNull(request);
        var rejection = attempt.Rejection != VaultRejection.None ? attempt.Rejection
            : record is null ? VaultRejection.NotRegistered
            : record.Version != request.Version ? VaultRejection.VersionOther
            : attempt.Attempt != request.Attempt ? VaultRejection.AttemptUnknown
            : !IsTag(record.UnlockTag, request.UnlockTag) ? VaultRejection.TagWrong
            : VaultRejection.None;
        return rejection == VaultRejection.None
            ? new Recover3Response(request.RequestId, record!)
            : new RealmRefusal(request.RequestId, rejection, attempt.GuessesLeft);
    }

    /// <summary>Decides on a deletion; the caller forgets the record where the answer is a response to it.</summary>
    /// <param name="permit">As for <see cref="Register2"/>.</param>
    public static VaultMessage Delete(DeleteRequest request, RealmRecord? record, RealmPermit permit)
    {
        ArgumentNullException.ThrowIfNull(request);
        var rejection = NotAt(request.Version, record);
        if (rejection != VaultRejection.None)
        {
            return new RealmRefusal(request.RequestId, rejection);
        }

        return request.IsSignedFor(record!, permit.InForce ?? record!.IdentityKey) || permit.Wait is { IsOver: true }
            ? new DeleteResponse(request.RequestId, request.Version)
            : permit.Wait is { } pending ? new WaitResponse(request.RequestId, request.Version, pending)
            : new RealmRefusal(request.RequestId, VaultRejection.SignatureInvalid);
    }

    /// <summary>Whether there is something to wait for; the caller then begins the wait or finds the one under way.</summary>
    public static VaultRejection MayWait(BeginWaitRequest request, RealmRecord? record)
    {
        ArgumentNullException.ThrowIfNull(request);
        return NotAt(request.Version, record);
    }

    /// <summary>Decides whether a wait is cancelled; the caller then forgets it.</summary>
    /// <param name="permit">With the wait that is under way, passed or not.</param>
    public static VaultMessage CancelWait(CancelWaitRequest request, RealmRecord? record, RealmPermit permit)
    {
        ArgumentNullException.ThrowIfNull(request);
        var rejection = NotAt(request.Version, record) is var other and not VaultRejection.None ? other
            : permit.Wait?.Id != request.Wait ? VaultRejection.WaitUnknown
            : !request.IsSignedFor(record!, record!.IdentityKey)
                && !(permit.InForce is { } inForce && request.IsSignedFor(record, inForce)) ? VaultRejection.SignatureInvalid
            : VaultRejection.None;
        return rejection == VaultRejection.None
            ? new CancelWaitResponse(request.RequestId, request.Wait)
            : new RealmRefusal(request.RequestId, rejection);
    }

    /// <summary>Decides whether failed guesses are given back; the caller then sets the counter to zero.</summary>
    /// <param name="attemptCount">Attempts ever counted for this registration.</param>
    /// <param name="permit">
    /// With the key in force, where the realm knows it: one that was replaced gives nobody guesses back, least of all
    /// whoever it was replaced for.
    /// </param>
    public static VaultMessage ClearFailures(
        ClearFailuresRequest request, RealmRecord? record, uint attemptCount, RealmPermit permit)
    {
        ArgumentNullException.ThrowIfNull(request);
        var rejection = record is null ? VaultRejection.NotRegistered
            : record.Version != request.Version ? VaultRejection.VersionOther
            : request.AttemptCount != attemptCount ? VaultRejection.CounterStale
            : !request.IsSignedFor(record, permit.InForce ?? record.IdentityKey) ? VaultRejection.SignatureInvalid
            : VaultRejection.None;
        return rejection == VaultRejection.None
            ? new ClearFailuresResponse(request.RequestId, request.Version)
            : new RealmRefusal(request.RequestId, rejection);
    }

    /// <summary>As long for a tag that differs at its beginning as for one that differs at its end.</summary>
    internal static bool IsTag(ReadOnlySpan<byte> registered, ReadOnlySpan<byte> shown) =>
        CryptographicOperations.FixedTimeEquals(registered, shown);

    private static VaultRejection NotAt(RegistrationVersion version, RealmRecord? record) =>
        record is null ? VaultRejection.NotRegistered
        : record.Version != version ? VaultRejection.VersionOther
        : VaultRejection.None;
}
