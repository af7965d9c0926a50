using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;
using ChatPay.Core.Cards;
using ChatPay.Core.Ledger;
using ChatPay.Core.Protocol;
using ChatPay.Server.Accounts;
using ChatPay.Server.Hosting;
using ChatPay.Server.Ledger;

namespace ChatPay.Server.Cards;

/// <summary>
/// Codes to be shown and scanned. They bring two people together and say an amount; what is paid is a request card between the
/// two, which the one who is to be paid posts and the other signs for.
/// </summary>
internal sealed class PayCodeService(PayCodeStore store, AssetCatalogue assets, AccountDirectory people)
{
    public async Task<Result<PayCodeView>> CreateAsync(
        Caller caller, NewPayCode wanted, CancellationToken cancellationToken)
    {
        if (Check(wanted) is { } wrong)
        {
            return wrong;
        }

        var code = Base64Url.EncodeToString(RandomNumberGenerator.GetBytes(PayCodeText.CodeSize));
        var made = wanted.Kind == PayCodeKind.Payer ? wanted with { LifetimeSeconds = Limits.PayerCodeSeconds } : wanted;
        return await store.AddAsync(HashOf(code), caller.Account, made, cancellationToken) is { } row
            ? await ViewAsync(code, row, cancellationToken)
            : new Error(ErrorCode.TooManyPayCodes, $"Only {Limits.PayCodes} codes can be open at once.");
    }

    /// <summary>What a code is, for whoever scans it; it is theirs from then on.</summary>
    public async Task<Result<PayCodeView>> ScanAsync(Caller caller, string code, CancellationToken cancellationToken)
    {
        if (!PayCodeText.IsCode(code)
            || await store.ScanAsync(HashOf(code), caller.Account, cancellationToken) is not { } row)
        {
            return Unknown();
        }

        return row.ScannedBy == caller.Account
            ? await ViewAsync(code, row, cancellationToken)
            : new Error(ErrorCode.PayCodeUsed, "Somebody else has scanned this code already.");
    }

    /// <summary>For its owner, who waits for somebody to scan it.</summary>
    public async Task<Result<PayCodeView>> ReadAsync(Caller caller, string code, CancellationToken cancellationToken) =>
        PayCodeText.IsCode(code) && await store.FindAsync(HashOf(code), caller.Account, cancellationToken) is { } row
            && (!row.IsOver || row.ScannedBy is not null)
                ? await ViewAsync(code, row, cancellationToken)
                : Unknown();

    public async Task<Result<Unit>> RemoveAsync(Caller caller, string code, CancellationToken cancellationToken)
    {
        if (PayCodeText.IsCode(code))
        {
            await store.RemoveAsync(HashOf(code), caller.Account, cancellationToken);
        }

        return default(Unit);
    }

    private Error? Check(NewPayCode wanted)
    {
        if (!Enum.IsDefined(wanted.Kind) || wanted.Kind == PayCodeKind.PayMe != wanted.AmountMinor is not null
            || wanted.AmountMinor is null != wanted.Asset is null)
        {
            return new Error(ErrorCode.InvalidArgument, "A code to be paid names an amount and its asset, another does not.");
        }

        if (wanted.LifetimeSeconds is < Limits.PayCodeMinSeconds or > Limits.PayCodeMaxSeconds)
        {
            return new Error(ErrorCode.CardLifetimeInvalid, "A code is good for between one minute and a day.");
        }

        return wanted.AmountMinor switch
        {
            null => null,
            <= 0 => new Error(ErrorCode.AmountNotPositive, "The amount must be more than zero."),
            > Limits.AmountMaxMinor => new Error(ErrorCode.AmountOverflow, "The amount is too large."),
            _ => assets.Find(wanted.Asset!) is null ? new LedgerOutcome(LedgerStatus.AssetUnknown).ToError() : null,
        };
    }

    private async Task<PayCodeView> ViewAsync(string code, PayCodeRow row, CancellationToken cancellationToken)
    {
        AccountId[] named = row.ScannedBy is { } by ? [row.Owner, by] : [row.Owner];
        var views = await people.GetAsync(named, cancellationToken);
        return new PayCodeView(
            code, row.Kind, views[row.Owner], row.AmountMinor, row.Asset, row.ExpiresAt,
            row.ScannedBy is { } scanner ? views[scanner] : null);
    }

    private static byte[] HashOf(string code) => SHA256.HashData(Encoding.ASCII.GetBytes(code));

    private static Error Unknown() => new(ErrorCode.PayCodeUnknown, "This code is not good, or not any more.");
}
