using ChatPay.Core.Protocol;
using ChatPay.Core.Vault;

namespace ChatPay.Client.Internal.Vault;

/// <content>What signed-in devices look at: who tried what, and whether the PIN still brings anything back.</content>
internal sealed partial class PinVault
{
    /// <summary>Attempts and waits of all realms that can be reached, and whether a PIN can still bring anything back.</summary>
    /// <param name="only">The realms that have it; null where they are not known.</param>
    public async Task<VaultLook> LookAsync(CancellationToken cancellationToken, PinPlace? only = null)
    {
        using var door = await OpenAsync(cancellationToken);
        var named = PinPlace.Of(door.View);
        var told = await ToldAsync(door, cancellationToken);
        return only?.IsSame(named) == false
            ? new VaultLook(told, PinLoss.RealmsOther, named, IsHeld: false)
            : await LookAsync(door, named, told, cancellationToken);
    }

    /// <summary>The realms that the server names now.</summary>
    public async Task<(VaultView View, PinPlace Named)> NamedAsync(CancellationToken cancellationToken)
    {
        var view = await client.VaultAsync(cancellationToken);
        return (view, PinPlace.Of(view));
    }

    /// <summary>The attempts and waits of all realms that can be reached.</summary>
    public async Task<IReadOnlyList<(Guid Realm, VaultAttempts Told)>> ToldAsync(CancellationToken cancellationToken)
    {
        using var door = await OpenAsync(cancellationToken);
        return await ToldAsync(door, cancellationToken);
    }

    /// <summary>What a person is told of a step that did not pass.</summary>
    public async Task<ChatPayException> FailureAsync(VaultStep step, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(step);
        var view = Volatile.Read(ref _view) ?? throw new InvalidOperationException("No realm was asked.");
        using var door = new RealmDoor(client, view);
        var configuration = ConfigurationOf(door);
        var usedUp = step.Faults.Where(fault => fault.Reason == VaultRejection.GuessesExhausted
            && fault.Index <= configuration.Realms.Count).Select(static fault => fault.Index).ToList();
        return VaultFailures.Of(step, view, await DestroyedAsync(door, configuration, usedUp, cancellationToken));
    }

    /// <summary>The realms whose answers to a step cannot be true, whether it passed or not.</summary>
    public IReadOnlyList<NamedRealm> LiarsOf(VaultStep step) => VaultFailures.LiarsOf(
        step, Volatile.Read(ref _view) ?? throw new InvalidOperationException("No realm was asked."));

    private async Task<VaultLook> LookAsync(
        RealmDoor door, PinPlace named, IReadOnlyList<(Guid Realm, VaultAttempts Told)> told,
        CancellationToken cancellationToken)
    {
        var configuration = named.Configuration;
        var step = RecoveryStart.Choose(
            User, configuration,
            await AskAsync(
                door, configuration, Indices(configuration), _ => new Recover1Request(NextId()), cancellationToken),
            out var start);
        if (AreOther(step, configuration))
        {
            return new VaultLook(told, PinLoss.RealmsOther, named, IsHeld: false);
        }

        var usedUp = step.Faults.Where(static fault => fault.Reason == VaultRejection.GuessesExhausted)
            .Select(static fault => fault.Index).ToList();
        var destroyed = await DestroyedAsync(door, configuration, usedUp, cancellationToken);
        var loss = VaultFailures.LossOf(step.Faults, door.View, destroyed);
        return new VaultLook(
            told, loss != PinLoss.None ? loss : start is not null ? PinLoss.None : null, named, start is not null);
    }

    /// <summary>
    /// Of the realms that have no guess left those that have destroyed what they had, and so have no version any more. Until
    /// then the last guess may be open, turn out right and be given back.
    /// </summary>
    private async Task<IReadOnlyCollection<int>> DestroyedAsync(
        RealmDoor door, RealmConfiguration configuration, IReadOnlyList<int> usedUp, CancellationToken cancellationToken)
    {
        var destroyed = new HashSet<int>();
        foreach (var answer in await AskAsync(
            door, configuration, usedUp, _ => new Register1Request(NextId()), cancellationToken))
        {
            if (VaultMessage.TryRead<Register1Response>(answer.Response.Span, out var response, out _))
            {
                using (response)
                {
                    if (response.Version == RegistrationVersion.None)
                    {
                        destroyed.Add(answer.Index);
                    }
                }
            }
        }

        return destroyed;
    }

    /// <summary>
    /// So many realms have their registration as one of another set or threshold that no threshold of these can have it. No
    /// realm that is new says so by itself: it has nothing.
    /// </summary>
    private static bool AreOther(VaultStep begun, RealmConfiguration configuration) =>
        configuration.Realms.Count - begun.Faults.Count(static fault => fault.Reason == VaultRejection.RealmsDisagree)
            < configuration.Threshold;

    private static async Task<IReadOnlyList<(Guid Realm, VaultAttempts Told)>> ToldAsync(
        RealmDoor door, CancellationToken cancellationToken)
    {
        var told = new List<(Guid, VaultAttempts)>();
        foreach (var realm in door.View.Realms)
        {
            try
            {
                told.Add((realm, await door.AttemptsAsync(realm, cancellationToken)));
            }
            catch (ChatPayException) when (!cancellationToken.IsCancellationRequested)
            {
                // It does not answer now.
            }
        }

        return told;
    }
}

/// <summary>What signed-in devices find.</summary>
/// <param name="Told">By the realms that can be reached.</param>
/// <param name="Loss">
/// <see cref="PinLoss.None"/> where a threshold of realms has a registration that a guess can be made of; null where too few
/// have said to know.
/// </param>
/// <param name="Named">The realms that the server names.</param>
/// <param name="IsHeld">Whether a threshold of them says to have one registration that was made for just these.</param>
internal sealed record VaultLook(
    IReadOnlyList<(Guid Realm, VaultAttempts Told)> Told, PinLoss? Loss, PinPlace Named, bool IsHeld);
