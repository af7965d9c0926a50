using System.Diagnostics.CodeAnalysis;

namespace ChatPay.Core.Vault;

/// <summary>Reads the answers to one step and keeps what was wrong with which of them.</summary>
internal sealed class AnswerTally
{
    private readonly RealmConfiguration _configuration;
    private readonly SortedDictionary<int, RealmFault> _faults = [];
    private readonly Dictionary<int, int> _guessesLeft = [];

    public AnswerTally(RealmConfiguration configuration, IReadOnlyList<RealmAnswer> answers)
    {
        ArgumentNullException.ThrowIfNull(configuration);
        ArgumentNullException.ThrowIfNull(answers);
        _configuration = configuration;
        var indices = answers.Select(answer => answer.Index).ToList();
        if (indices.Distinct().Count() != indices.Count
            || indices.Exists(index => index < 1 || index > configuration.Realms.Count))
        {
            throw new ArgumentException("There is at most one answer of each realm.", nameof(answers));
        }
    }

    /// <summary>
    /// Reads an answer of the kind; the caller disposes of it. Everything else is that realm's fault.
    /// </summary>
    public bool TryTake<T>(in RealmAnswer answer, [NotNullWhen(true)] out T? response)
        where T : VaultMessage, IVaultMessage<T>
    {
        response = null;
        if (VaultMessage.TryRead<RealmRefusal>(answer.Response.Span, out var refusal, out _))
        {
            // An honest realm knows nothing of what only a client can see; from a liar it counts as no answer.
            using (refusal)
            {
                Fault(answer.Index, refusal.RequestId != answer.Request.RequestId ? VaultRejection.ResponseReplayed
                    : refusal.Reason is >= VaultRejection.WrongPin and < VaultRejection.NotRegistered
                        ? VaultRejection.WrongMessage : refusal.Reason);
                if (refusal.Reason is VaultRejection.GuessesExhausted or VaultRejection.TagWrong)
                {
                    Tell(answer.Index, refusal.GuessesLeft);
                }
            }

            return false;
        }

        if (!VaultMessage.TryRead<T>(answer.Response.Span, out var message, out var rejection))
        {
            Fault(answer.Index, rejection);
            return false;
        }

        if (message.RequestId != answer.Request.RequestId)
        {
            message.Dispose();
            Fault(answer.Index, VaultRejection.ResponseReplayed);
            return false;
        }

        response = message;
        return true;
    }

    public void Fault(int index, VaultRejection reason) =>
        _faults[index] = new RealmFault(index, _configuration.RealmOf(index), reason);

    public void Tell(int index, int guessesLeft) => _guessesLeft[index] = guessesLeft;

    public VaultStep Passed(VaultRejection rejection = VaultRejection.None)
    {
        // A realm that has none left keeps nobody from guessing at the others; where too few of those are left there is none.
        int[] usedUp = [.. _guessesLeft.Where(static one => one.Value == 0).Select(static one => one.Key)];
        var isUsedUp = _configuration.Realms.Count - usedUp.Length < _configuration.Threshold;
        int? fewest = usedUp.Length < _guessesLeft.Count ? _guessesLeft.Values.Where(static left => left > 0).Min() : null;
        return new(rejection, [.. _faults.Values], isUsedUp ? 0 : fewest) { UsedUp = usedUp };
    }

    /// <summary>
    /// Too few realms did their part. Where all that failed did so for one reason it is the step's; else, in this
    /// order: the first lie's, mixed versions, no guesses left, locked; and otherwise there are too few shares.
    /// </summary>
    public VaultStep Refused()
    {
        VaultRejection[] telling =
            [VaultRejection.VersionMixed, VaultRejection.GuessesExhausted, VaultRejection.Locked];
        var reasons = _faults.Values.Select(fault => fault.Reason).Distinct().ToList();
        var lie = _faults.Values.FirstOrDefault(fault => fault.IsLie);
        return Passed(
            reasons.Count == 1 ? reasons[0]
            : lie is not null ? lie.Reason
            : telling.Concat([VaultRejection.SharesTooFew])
                .First(reason => reason == VaultRejection.SharesTooFew || reasons.Contains(reason)));
    }
}
