using System.Text.Json;
using ChatPay.Core.Cards;
using ChatPay.Core.Protocol;

namespace ChatPay.Client.Internal;

/// <summary>
/// This device's word that money may leave its account: signed over a card's terms as this device posted or decrypted and
/// checked them, at the last moment before each attempt, so that none is about for longer than it takes.
/// </summary>
internal sealed class DebitSigner(DeviceCore core)
{
    private const long ClockDifferenceMaxSeconds = 24 * 3600;

    /// <summary>How far the server's clock is ahead of this device's, as far as a refusal has told; in seconds.</summary>
    private long _ahead;

    /// <summary>
    /// Asks for something that takes money of this account. An answer that the signature is out of date tells the server's
    /// time, and is asked again once by that.
    /// </summary>
    /// <param name="request">Without an authorisation. One that needs none is sent as it is.</param>
    /// <param name="terms">Of its card, which this device vouches for.</param>
    /// <param name="call">Sends the signed request.</param>
    public async Task<CardActReply> ActAsync(
        CardActRequest request, CardTerms terms, byte[] detailCommit, Func<CardActRequest, Task<CardActReply>> call)
    {
        if (CardRules.SignedAmount(terms, core.Device.Account.Id, request.Action, request.AmountMinor) is not { } amount)
        {
            return await call(request);
        }

        try
        {
            return await call(Sign(request, terms, detailCommit, amount));
        }
        catch (ChatPayException late) when (late.Code == ErrorCode.AuthorisationExpired && TrySetClock(late.Error))
        {
            return await call(Sign(request, terms, detailCommit, amount));
        }
    }

    private CardActRequest Sign(CardActRequest request, CardTerms terms, byte[] detailCommit, long amountMinor)
    {
        var expiresAt = core.Time.GetUtcNow().ToUnixTimeSeconds() + Interlocked.Read(ref _ahead) + Limits.AuthorisationSeconds;
        var device = core.Device;
        var statement = new DebitStatement(
            terms, detailCommit, request.Action, request.Version, device.Account.Id, amountMinor,
            device.Device, request.IdempotencyKey, expiresAt);
        return request with { Authorisation = statement.Sign(core.Groups.Member.SignatureKey) };
    }

    private bool TrySetClock(ErrorBody late)
    {
        var now = late.Details?.GetValueOrDefault("now") is JsonElement element && element.TryGetInt64(out var seconds)
            ? seconds : 0;
        var ahead = now - core.Time.GetUtcNow().ToUnixTimeSeconds();

        // A server could ask for signatures that last for years.
        if (now <= 0 || Math.Abs(ahead) > ClockDifferenceMaxSeconds)
        {
            return false;
        }

        Interlocked.Exchange(ref _ahead, ahead);
        return true;
    }
}
