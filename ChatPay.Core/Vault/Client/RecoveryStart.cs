using ChatPay.Core.Protocol;

namespace ChatPay.Core.Vault;

/// <summary>Which registration a recovery is of, and the realms that have it: what recover1 comes to.</summary>
/// <param name="Realms">Their indices, ascending.</param>
public sealed record RecoveryStart(VaultContext Context, IReadOnlyList<int> Realms)
{
    /// <summary>Finds the registration that a threshold of realms is at. No guess is counted yet.</summary>
    /// <param name="answers">To <see cref="Recover1Request"/>, at most one of each realm.</param>
    /// <param name="start">Null where there is no such registration.</param>
    /// <exception cref="ArgumentException">Two answers of one realm, or one of none.</exception>
    public static VaultStep Choose(
        AccountId user, RealmConfiguration configuration, IReadOnlyList<RealmAnswer> answers, out RecoveryStart? start)
    {
        var tally = new AnswerTally(configuration, answers);
        var told = new List<(int Index, RegistrationVersion Version, PinHashParameters Parameters)>();
        foreach (var answer in answers)
        {
            if (tally.TryTake<Recover1Response>(answer, out var response))
            {
                tally.Tell(answer.Index, response.GuessesLeft);
                if (response.ConfigurationDigest.SequenceEqual(configuration.Digest))
                {
                    told.Add((answer.Index, response.Version, response.Parameters));
                }
                else
                {
                    tally.Fault(answer.Index, VaultRejection.RealmsDisagree);
                }

                response.Dispose();
            }
        }

        // More than half of the realms are a threshold, so at most one group is large enough.
        var quorum = told.GroupBy(one => (one.Version, one.Parameters)).MaxBy(group => group.Count());
        if (quorum is null || quorum.Count() < configuration.Threshold)
        {
            start = null;
            if (told.Count >= configuration.Threshold)
            {
                foreach (var one in told)
                {
                    tally.Fault(one.Index, VaultRejection.VersionMixed);
                }
            }

            return tally.Refused();
        }

        foreach (var one in told.Except(quorum))
        {
            tally.Fault(one.Index, VaultRejection.VersionMixed);
        }

        start = new RecoveryStart(
            new VaultContext(user, quorum.Key.Version, configuration.Digest, quorum.Key.Parameters),
            [.. quorum.Select(one => one.Index).Order()]);
        return tally.Passed();
    }
}
