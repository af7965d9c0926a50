using System.Security.Cryptography;
using ChatPay.Core.Cryptography;

namespace ChatPay.Core.Vault;

/// <summary>What the device makes of the realms' answers.</summary>
public sealed partial class VaultRecovery
{
    /// <summary>Checks the evaluations and finds out whether the PIN is right.</summary>
    /// <param name="answers">To the <see cref="EvaluationRequest"/>s, at most one of each realm.</param>
    /// <returns>
    /// <see cref="VaultRejection.WrongPin"/> for certain only; whatever a realm did wrong is its fault, by name, and
    /// stops the recovery only where too few others are left.
    /// </returns>
    /// <exception cref="ArgumentException">Two answers of one realm, or one of none.</exception>
    /// <exception cref="InvalidOperationException">The evaluations were taken already.</exception>
    public VaultStep TakeEvaluations(IReadOnlyList<RealmAnswer> answers)
    {
        if (_unlockKey is not null)
        {
            throw new InvalidOperationException("The PIN is known to be right already.");
        }

        var tally = new AnswerTally(_configuration, answers);
        var proved = new SortedDictionary<int, Recover2Response>();
        try
        {
            foreach (var answer in answers)
            {
                if (tally.TryTake<Recover2Response>(answer, out var response))
                {
                    proved.Add(answer.Index, response);
                    if (Check(answer.Index, response) is var rejection and not VaultRejection.None)
                    {
                        tally.Fault(answer.Index, rejection);
                        proved.Remove(answer.Index);
                        response.Dispose();
                    }
                }
            }

            var quorum = Quorum(proved, tally);
            if (quorum.Count < _configuration.Threshold)
            {
                return tally.Refused();
            }

            foreach (var (index, response) in quorum)
            {
                tally.Tell(index, response.GuessesLeft);
            }

            return tally.Passed(Unlock(quorum));
        }
        finally
        {
            foreach (var response in proved.Values)
            {
                response.Dispose();
            }
        }
    }

    /// <summary>Checks the shares and opens the root secret with them.</summary>
    /// <param name="answers">To the <see cref="ReleaseRequest"/>s, at most one of each realm.</param>
    /// <param name="rootSecret">32 bytes, zeros unless the step is passed; the caller zeroes them.</param>
    /// <exception cref="ArgumentException">
    /// Two answers of one realm, one of none, or a span of another size.
    /// </exception>
    /// <exception cref="InvalidOperationException">The PIN is not known to be right.</exception>
    public VaultStep TakeShares(IReadOnlyList<RealmAnswer> answers, Span<byte> rootSecret)
    {
        if (_unlockKey is null)
        {
            throw new InvalidOperationException("Shares come after the PIN has turned out right.");
        }

        if (rootSecret.Length != VaultLimits.RootSecretBytes)
        {
            throw new ArgumentException($"A root secret has {VaultLimits.RootSecretBytes} bytes.", nameof(rootSecret));
        }

        rootSecret.Clear();
        var tally = new AnswerTally(_configuration, answers);
        using var shares = new Secret((_configuration.Realms.Count + 1) * ScalarSize);
        Span<byte> indices = stackalloc byte[_configuration.Realms.Count];
        Span<byte> encryptedRoot = stackalloc byte[StretchedPin.EncryptedRootSize];
        var count = 0;
        foreach (var answer in answers)
        {
            if (tally.TryTake<Recover3Response>(answer, out var response))
            {
                using (response)
                {
                    if (Check(answer.Index, response) is var rejection and not VaultRejection.None)
                    {
                        tally.Fault(answer.Index, rejection);
                        continue;
                    }

                    indices[count] = (byte)answer.Index;
                    response.RootShare.CopyTo(shares.Span[(++count * ScalarSize)..]);
                    response.EncryptedRoot.CopyTo(encryptedRoot);
                }
            }
        }

        if (count < _configuration.Threshold)
        {
            return tally.Refused();
        }

        count = _configuration.Threshold;
        var scalar = shares.Span[..ScalarSize];
        var isOpen = SecretSharing.TryCombineScalars(
                count, indices[..count], shares.Span.Slice(ScalarSize, count * ScalarSize), scalar, out _)
            && _stretched.TryDecryptRoot(_context, scalar, encryptedRoot, rootSecret);
        return tally.Passed(isOpen ? VaultRejection.None : VaultRejection.RootUnreadable);
    }

    private VaultRejection Check(int index, Recover2Response response)
    {
        var realm = _configuration.RealmOf(index);
        return response.Version != _context.Version ? VaultRejection.VersionMixed
            : response.Index != index || response.Realm != realm ? VaultRejection.ShareSwapped
            : !ShareCertificate.Verify(
                response.VerifyingKey, _context, realm, index, response.PublicShare, response.UnlockCommitment,
                response.Certificate) ? VaultRejection.CertificateInvalid
            : !ThresholdOprf.Verify(response.PublicShare, _blindedElement, response.EvaluatedElement, response.Proof)
                ? VaultRejection.ProofInvalid
            : _pinnedDigest is not null && !VaultDigest.Of(_context, response.VerifyingKey).AsSpan()
                .SequenceEqual(_pinnedDigest) ? VaultRejection.RealmsDisagree
            : VaultRejection.None;
    }

    private VaultRejection Check(int index, Recover3Response response)
    {
        Span<byte> commitment = stackalloc byte[UnlockKey.CommitmentSize];
        _unlockKey!.ShareCommitment(
            _context, _configuration.RealmOf(index), index, response.RootShare, response.EncryptedRoot, commitment);
        return response.Version != _context.Version ? VaultRejection.VersionMixed
            : !CryptographicOperations.FixedTimeEquals(commitment, response.ShareCommitment)
                ? VaultRejection.ShareForged
            : VaultRejection.None;
    }

    /// <summary>
    /// The evaluations certified by one key with one commitment, which honest ones all are. With more than half as the
    /// threshold, a smaller group beside it is not; where no group is large enough nobody can tell, and all are named.
    /// </summary>
    private Dictionary<int, Recover2Response> Quorum(
        SortedDictionary<int, Recover2Response> proved, AnswerTally tally)
    {
        var groups = proved
            .GroupBy(
                one => Convert.ToHexString([.. one.Value.VerifyingKey, .. one.Value.UnlockCommitment]),
                StringComparer.Ordinal)
            .OrderByDescending(group => group.Count())
            .ToList();
        var quorum = groups.Count > 0 && groups[0].Count() >= _configuration.Threshold ? groups[0] : null;
        foreach (var (index, _) in groups.Where(group => group != quorum).SelectMany(group => group))
        {
            if (proved.Count >= _configuration.Threshold)
            {
                tally.Fault(index, VaultRejection.RealmsDisagree);
            }
        }

        return quorum is null ? [] : new Dictionary<int, Recover2Response>(quorum);
    }

    private VaultRejection Unlock(Dictionary<int, Recover2Response> quorum)
    {
        var used = quorum.OrderBy(one => one.Key).Take(_configuration.Threshold).ToList();
        byte[] indices = [.. used.Select(one => (byte)one.Key)];
        byte[] elements = [.. used.SelectMany(one => one.Value.EvaluatedElement.ToArray())];
        Span<byte> evaluated = stackalloc byte[Ristretto255.ElementSize];
        using var output = new Secret(Oprf.OutputSize);
        if (!ThresholdOprf.TryCombine(_configuration.Threshold, indices, elements, evaluated, out var rejection))
        {
            return rejection;
        }

        if (!Oprf.Verifiable.Finalize(_stretched.AccessKey, _blind.Span, evaluated, output.Span))
        {
            return VaultRejection.PointInvalid;
        }

        var unlockKey = UnlockKey.Derive(_context, output.Span);
        if (!CryptographicOperations.FixedTimeEquals(unlockKey.Commitment, used[0].Value.UnlockCommitment))
        {
            unlockKey.Dispose();
            return VaultRejection.WrongPin;
        }

        _unlockKey = unlockKey;
        foreach (var (index, response) in quorum)
        {
            _attempts[index] = response.Attempt;
        }

        return VaultRejection.None;
    }
}
