using ChatPay.Core.Protocol;
using ChatPay.Core.Vault;

namespace ChatPay.Client.Internal.Vault;

/// <summary>What people are told of a step of the vault that did not pass: what happened, what is lost, what to do.</summary>
internal static class VaultFailures
{
    /// <param name="destroyed">The realms, by index, that are known to have destroyed what they had.</param>
    public static ChatPayException Of(VaultStep step, VaultView view, IReadOnlyCollection<int> destroyed)
    {
        ArgumentNullException.ThrowIfNull(step);
        ArgumentNullException.ThrowIfNull(view);
        var liars = LiarsOf(step, view);
        if (step.Rejection == VaultRejection.WrongPin)
        {
            return LocalErrors.WrongPin(step.GuessesLeft ?? 0, liars);
        }

        // What is lost for certain comes before who lied: it is not there, whoever did.
        return LossOf(step.Faults, view, destroyed) switch
        {
            PinLoss.GuessesExhausted => LocalErrors.VaultExhausted(liars),
            PinLoss.Locked => LocalErrors.VaultLocked(liars),
            PinLoss.NotRegistered => LocalErrors.VaultNotRegistered(liars),

            // One realm that says so alone may lie, or be the only one that answers.
            _ when step is { Rejection: VaultRejection.GuessesExhausted, GuessesLeft: 0 } => LocalErrors.VaultUsedUp(liars),
            _ when liars.Count > 0 => LocalErrors.VaultRealmLied(liars),
            _ when step.Rejection == VaultRejection.RealmsDisagree => LocalErrors.VaultUnavailable(
                "The PIN vault cannot help now: what its realms have is not what the account's keys name. A PIN is being set, or "
                + "its setting was cut off; or the server names other realms than those where it was set. A guess may have been "
                + "counted, and nothing that tells the PIN has left this device."),
            _ => LocalErrors.VaultUnavailable($"The PIN vault cannot help now: {step.Rejection}. Nothing was changed."),
        };
    }

    /// <summary>The server names other realms than those where the PIN was set.</summary>
    public static ChatPayException RealmsOther(VaultView view) => LocalErrors.VaultRealmsOther(AllOf(view));

    public static IReadOnlyList<NamedRealm> AllOf(VaultView view)
    {
        ArgumentNullException.ThrowIfNull(view);
        return [.. view.Realms.Select(realm => Named(realm, view))];
    }

    /// <summary>
    /// What is lost where realms refuse for these reasons. One of them may refuse and lie; only where fewer than a threshold
    /// are left that may still have something does it bring nothing back any more. What has no guess left is lost where it was
    /// destroyed.
    /// </summary>
    public static PinLoss LossOf(IEnumerable<RealmFault> faults, VaultView view, IReadOnlyCollection<int> destroyed)
    {
        ArgumentNullException.ThrowIfNull(view);
        var losses = faults.Select(fault => fault.Reason switch
        {
            VaultRejection.GuessesExhausted when destroyed.Contains(fault.Index) => PinLoss.GuessesExhausted,
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
    public static IReadOnlyList<NamedRealm> LiarsOf(VaultStep step, VaultView view)
    {
        ArgumentNullException.ThrowIfNull(step);
        ArgumentNullException.ThrowIfNull(view);
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
