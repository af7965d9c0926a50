using ChatPay.Core.Protocol;
using ChatPay.Core.Vault;

namespace ChatPay.Client.Internal.Vault;

/// <content>What signed-in devices look at: who tried what, and whether the PIN still brings anything back.</content>
internal sealed partial class PinVault
{
    /// <summary>Attempts and waits of all realms that can be reached, and whether a PIN can still bring anything back.</summary>
    /// <returns>
    /// <see cref="PinLoss.None"/> where a threshold of realms has a registration that a guess can be made of; null where too few
    /// have said to know.
    /// </returns>
    public async Task<(IReadOnlyList<(Guid Realm, VaultAttempts Told)> Told, PinLoss? Loss)> LookAsync(
        CancellationToken cancellationToken)
    {
        using var door = await OpenAsync(cancellationToken);
        return (await ToldAsync(door, cancellationToken), await LossAsync(door, cancellationToken));
    }

    /// <summary>The attempts and waits of all realms that can be reached.</summary>
    public async Task<IReadOnlyList<(Guid Realm, VaultAttempts Told)>> ToldAsync(CancellationToken cancellationToken)
    {
        using var door = await OpenAsync(cancellationToken);
        return await ToldAsync(door, cancellationToken);
    }

    private async Task<PinLoss?> LossAsync(RealmDoor door, CancellationToken cancellationToken)
    {
        var configuration = ConfigurationOf(door);
        var (held, reasons, usedUp) = (0, new List<VaultRejection>(), new List<int>());
        foreach (var answer in await AskAsync(
            door, configuration, Indices(configuration), _ => new Recover1Request(NextId()), cancellationToken))
        {
            if (VaultMessage.TryRead<RealmRefusal>(answer.Response.Span, out var refusal, out _))
            {
                using (refusal)
                {
                    if (refusal.Reason == VaultRejection.GuessesExhausted)
                    {
                        usedUp.Add(answer.Index);
                    }
                    else
                    {
                        reasons.Add(refusal.Reason);
                    }
                }
            }
            else if (VaultMessage.TryRead<Recover1Response>(answer.Response.Span, out var response, out _))
            {
                response.Dispose();
                held++;
            }
        }

        // The last guess may still be open, turn out right and be given back. What was destroyed has no version any more.
        foreach (var answer in await AskAsync(
            door, configuration, usedUp, _ => new Register1Request(NextId()), cancellationToken))
        {
            if (VaultMessage.TryRead<Register1Response>(answer.Response.Span, out var response, out _))
            {
                using (response)
                {
                    reasons.AddRange(
                        response.Version == RegistrationVersion.None ? [VaultRejection.GuessesExhausted] : []);
                }
            }
        }

        return VaultFailures.LossOf(reasons, door.View) is var loss and not PinLoss.None ? loss
            : held >= configuration.Threshold ? PinLoss.None : null;
    }

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
