using ChatPay.Core.Cards;
using ChatPay.Core.Protocol;
using ChatPay.Server.Accounts;
using ChatPay.Server.Database.GroupCommit;
using ChatPay.Server.Hosting;
using ChatPay.Server.Transparency;

namespace ChatPay.Server.Cards;

/// <summary>A statement and the signature that was found right for it.</summary>
internal sealed record SignedDebit(DebitStatement Statement, byte[] Signature)
{
    public byte[] Encoded { get; } = Statement.Encode();
}

/// <summary>
/// The payer's word, checked in two steps. The signature depends on nothing that changes, so it is verified before the command
/// queues and costs no batch anything; time and the device's standing are judged in the deciding transaction.
/// </summary>
internal sealed class DebitCheck(DeviceSignatureKeys keys)
{
    /// <summary>Whether the caller's device signed exactly this debit.</summary>
    /// <param name="amountMinor">What the action takes of the caller's money.</param>
    /// <returns>The statement, made here from the card's own terms; else <c>authorisation_…</c>.</returns>
    public async ValueTask<Result<SignedDebit>> VerifyAsync(
        Caller caller, CardTerms terms, byte[] detailCommit, CardActRequest request, long amountMinor,
        CancellationToken cancellationToken)
    {
        if (request.Authorisation is not { Signature: not null } authorisation)
        {
            return DebitRules.Missing();
        }

        var statement = new DebitStatement(
            terms, detailCommit, request.Action, request.Version, caller.Account, amountMinor, caller.Device,
            request.IdempotencyKey, authorisation.ExpiresAt);
        return await keys.FindAsync(caller.Device, cancellationToken) is { } key
            && statement.IsSignedBy(key, authorisation.Signature)
                ? new SignedDebit(statement, authorisation.Signature)
                : DebitRules.Invalid();
    }

    /// <summary>Asks for what <see cref="Judge"/> looks at.</summary>
    public static void Declare(WriteSet set, Caller caller) => set.Rows<DeviceStandingRows>().Need(caller.Device);

    /// <summary>The second step; null where money may move.</summary>
    public static Error? Judge(WriteSet set, Result<SignedDebit> signed) =>
        signed.Error is { } refusal ? refusal
        : DebitRules.CheckTime(signed.Value.Statement.ExpiresAt, set.Now) is { } late ? late
        : set.Rows<DeviceStandingRows>().IsInChain(signed.Value.Statement.Payer, signed.Value.Statement.Device) ? null
        : DebitRules.DeviceNotInChain();
}
