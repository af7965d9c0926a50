using System.Text;

namespace ChatPay.Core.Protocol;

/// <summary>What the catalogue knows of each code besides its number: name, HTTP status, retryable.</summary>
public static class ErrorCatalogue
{
    /// <summary>snake_case of the enum member, stable on the wire.</summary>
    public static string NameOf(ErrorCode code)
    {
        var text = code.ToString();
        var name = new StringBuilder(text.Length + 4);
        foreach (var letter in text)
        {
            if (char.IsAsciiLetterUpper(letter) && name.Length > 0)
            {
                name.Append('_');
            }

            name.Append(char.ToLowerInvariant(letter));
        }

        return name.ToString();
    }

    /// <summary>Whether the very same request may succeed later without anything else changing.</summary>
    public static bool IsRetryable(ErrorCode code) => code is
        ErrorCode.TooManyRequests or ErrorCode.Overloaded or ErrorCode.Unavailable or ErrorCode.DeviceQueueFull;

    /// <summary>The HTTP status that goes with a code.</summary>
    public static int HttpStatusOf(ErrorCode code) => code switch
    {
        ErrorCode.Internal => 500,
        ErrorCode.MalformedRequest => 400,
        ErrorCode.TooLarge or ErrorCode.BodyTooLarge => 413,
        ErrorCode.NotFound or ErrorCode.UnknownMethod or ErrorCode.AccountUnknown or ErrorCode.ConversationUnknown
            or ErrorCode.CardUnknown or ErrorCode.PayCodeUnknown
            or ErrorCode.DeviceUnknown or ErrorCode.MemberUnknown or ErrorCode.RealmUnknown
            or ErrorCode.LogSizeUnknown or ErrorCode.ArchiveUnknown or ErrorCode.ArchiveOff => 404,
        ErrorCode.TooManyRequests => 429,
        ErrorCode.Overloaded or ErrorCode.Unavailable or ErrorCode.DeviceQueueFull => 503,
        ErrorCode.ForbiddenOrigin or ErrorCode.NotMember or ErrorCode.NotOwner or ErrorCode.WrongDevice
            or ErrorCode.CardNotYours or ErrorCode.SignUpClosed or ErrorCode.DeviceNotApproved
            or ErrorCode.AuthorisationMissing or ErrorCode.AuthorisationInvalid or ErrorCode.AuthorisationExpired
            or ErrorCode.AuthorisationDevice => 403,
        ErrorCode.UpgradeRequired => 426,
        ErrorCode.MethodNotAllowed => 405,
        ErrorCode.UnsupportedMediaType => 415,
        ErrorCode.Unauthenticated or ErrorCode.BadCredentials or ErrorCode.DeviceRevoked
            or ErrorCode.RealmTokenInvalid or ErrorCode.RealmTokenExpired or ErrorCode.RealmTokenAudience
            or ErrorCode.RealmTokenSigner => 401,
        ErrorCode.IdempotencyConflict or ErrorCode.HandleTaken or ErrorCode.HandleLookalike
            or ErrorCode.StaleEpoch or ErrorCode.ClientIdReused or ErrorCode.ConversationExists
            or ErrorCode.CardAlreadyDone or ErrorCode.PayCodeUsed
            or ErrorCode.CardVersionStale or ErrorCode.CardTerminal or ErrorCode.CardExpired
            or ErrorCode.CardExists or ErrorCode.KeyPackageUnavailable
            or ErrorCode.KeyChainStale or ErrorCode.WrappedKeysStale
            or ErrorCode.ArchiveExists or ErrorCode.ArchiveChunkConflict => 409,
        _ => 422,
    };
}
