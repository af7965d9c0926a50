using ChatPay.Core.Protocol;
using ChatPay.Core.Vault;

namespace ChatPay.Client.Internal.Vault;

/// <summary>What people are told of a step of the vault that did not pass: what happened, what is lost, what to do.</summary>
internal static class VaultFailures
{
    public static ChatPayException Of(VaultStep step, VaultView view)
    {
        ArgumentNullException.ThrowIfNull(step);
        ArgumentNullException.ThrowIfNull(view);
        var liars = LiarsOf(step, view);
        if (step.Rejection == VaultRejection.WrongPin)
        {
            return LocalErrors.WrongPin(step.GuessesLeft ?? 0, liars);
        }

        // What is lost for certain comes before who lied: it is not there, whoever did.
        return LossOf(step.Faults.Select(static fault => fault.Reason), view) switch
        {
            PinLoss.GuessesExhausted => LocalErrors.VaultExhausted(liars),
            PinLoss.Locked => LocalErrors.VaultLocked(liars),
            PinLoss.NotRegistered => LocalErrors.VaultNotRegistered(liars),
            _ when liars.Count > 0 => LocalErrors.VaultRealmLied(liars),
            _ => LocalErrors.VaultUnavailable($"The PIN vault cannot help now: {step.Rejection}. Nothing was changed."),
        };
    }

    /// <summary>
    /// What is lost where realms refuse for these reasons. One of them may refuse and lie; only where fewer than a threshold
    /// are left that may still have something does it bring nothing back any more.
    /// </summary>
    public static PinLoss LossOf(IEnumerable<VaultRejection> reasons, VaultView view)
    {
        ArgumentNullException.ThrowIfNull(view);
        var losses = reasons.Select(static reason => reason switch
        {
            VaultRejection.GuessesExhausted => PinLoss.GuessesExhausted,
            VaultRejection.Locked => PinLoss.Locked,
            VaultRejection.NotRegistered => PinLoss.NotRegistered,
            _ => PinLoss.None,
        }).Where(static loss => loss != PinLoss.None).ToList();
        return view.Realms.Count - losses.Count < view.Threshold ? losses.Min() : PinLoss.None;
    }

    /// <summary>
    /// The realms that gave an answer which cannot be true. Where as many as a threshold have another registration than the
    /// account's keys name, or nobody can tell which side is right, none is named for that: a PIN that is just being set, or
    /// whose setting was cut off, looks the same.
    /// </summary>
    private static IReadOnlyList<NamedRealm> LiarsOf(VaultStep step, VaultView view)
    {
        var isOpen = step.Faults.Count(static fault => fault.Reason == VaultRejection.RealmsDisagree) >= view.Threshold;
        return
        [
            .. step.Faults.Where(fault => fault.IsLie && !(isOpen && fault.Reason == VaultRejection.RealmsDisagree))
                .Select(fault => Named(fault.Realm.Value, view)),
        ];
    }

    private static NamedRealm Named(Guid realm, VaultView view)
    {
        var host = view.Hosts?.FirstOrDefault(one => one.Realm == realm);
        return new NamedRealm(realm, host?.Operator, host?.Address);
    }
}
