namespace ChatPay.Core.Protocol;

/// <summary>
/// The one error catalogue. Numbers are never reused. 1xxx anything, 2xxx accounts and devices, 3xxx conversations and
/// MLS delivery, 4xxx ledger, 5xxx cards, 6xxx the PIN vault, 7xxx keys,
/// their log, and the archive.
/// </summary>
public enum ErrorCode
{
    Internal = 1000,
    MalformedRequest = 1001,
    InvalidArgument = 1002,
    UnknownMethod = 1003,
    TooLarge = 1004,
    NotFound = 1005,
    TooManyRequests = 1006,
    Overloaded = 1007,
    Unavailable = 1008,
    ForbiddenOrigin = 1009,
    IdempotencyConflict = 1010,
    UpgradeRequired = 1011,
    MethodNotAllowed = 1012,
    UnsupportedMediaType = 1013,

    Unauthenticated = 2001,
    BadCredentials = 2002,
    HandleInvalid = 2003,
    HandleTaken = 2004,
    HandleReserved = 2005,
    HandleLookalike = 2006,
    PasswordLength = 2007,
    PasswordCommon = 2008,
    DeviceUnknown = 2009,
    DeviceRevoked = 2010,
    DeviceKeyMismatch = 2011,
    TooManyDevices = 2012,
    DisplayNameInvalid = 2013,
    AccountUnknown = 2014,
    DeviceNameInvalid = 2015,
    SignUpClosed = 2016,

    ConversationUnknown = 3001,
    NotMember = 3002,
    NotOwner = 3003,
    BodyTooLarge = 3004,
    WrongDevice = 3005,
    StaleEpoch = 3006,
    ClientIdReused = 3007,
    ConversationExists = 3008,
    CommitInvalid = 3009,
    KeyPackageInvalid = 3010,
    KeyPackageUnavailable = 3011,
    GroupFull = 3012,
    MessageMalformed = 3013,
    MemberUnknown = 3014,
    DirectConversation = 3015,
    HelloFirst = 3016,
    TooManyConversations = 3017,
    DeviceUnreachable = 3020,
    DeviceQueueFull = 3021,
    RetentionInvalid = 3030,

    AmountNotPositive = 4001,
    AmountOverflow = 4002,
    AssetUnknown = 4003,
    AssetMismatch = 4004,
    SelfTransfer = 4005,
    InsufficientFunds = 4006,
    LedgerAccountUnknown = 4007,
    HoldClosed = 4008,
    HoldExceeded = 4009,
    HoldUnknown = 4010,
    HoldExpired = 4011,
    HoldNotExpired = 4012,
    LinkedFailed = 4013,
    RefundUnknown = 4014,
    RefundExceeded = 4015,
    AccountFrozen = 4016,
    AccountClosed = 4017,
    AccountNotEmpty = 4018,

    CardUnknown = 5001,
    CardTerminal = 5002,
    CardVersionStale = 5003,
    CardNotYours = 5004,
    CardExpired = 5005,
    CardActionUnknown = 5006,
    DetailCommitMismatch = 5007,
    CardExists = 5008,
    CardKindUnknown = 5009,
    CardLifetimeInvalid = 5010,
    CardPartyNotMember = 5011,
    TooManyOpenCards = 5012,
    AuthorisationMissing = 5013,
    AuthorisationInvalid = 5014,
    AuthorisationExpired = 5015,
    AuthorisationDevice = 5016,
    CardPlanInvalid = 5017,
    CardAlreadyDone = 5018,
    MandateExceeded = 5019,
    PayCodeUnknown = 5020,
    PayCodeUsed = 5021,
    TooManyPayCodes = 5022,

    RealmUnknown = 6001,
    VaultMessageInvalid = 6002,
    RealmTokenInvalid = 6003,
    RealmTokenExpired = 6004,
    RealmTokenAudience = 6005,
    RealmTokenSigner = 6006,

    KeyEntryInvalid = 7001,
    KeyChainStale = 7002,
    DeviceNotApproved = 7003,
    WrappedKeysStale = 7004,
    LogSizeUnknown = 7005,
    ArchiveExists = 7006,
    ArchiveUnknown = 7007,
    ArchiveChunkConflict = 7008,
    ArchiveFull = 7009,
    ArchiveOff = 7010,
}

/// <summary>
/// An expected failure. <see cref="Message"/> is for people and never carries SQL, paths, keys or content.
/// </summary>
/// <param name="Code">What happened.</param>
/// <param name="Message">One sentence saying what happened, and what to do where that helps.</param>
/// <param name="Details">Machine-readable extras, such as the winning commit of a stale epoch; may be null.</param>
public sealed record Error(ErrorCode Code, string Message, IReadOnlyDictionary<string, object>? Details = null)
{
    /// <summary>Whether the very same request may succeed later.</summary>
    public bool Retryable => ErrorCatalogue.IsRetryable(Code);
}

/// <summary>What both HTTP and the hub send for an <see cref="Error"/>; over HTTP as members of problem details.</summary>
/// <param name="Code">The catalogue's number.</param>
/// <param name="Name">The catalogue's name, snake_case, as stable as the number.</param>
/// <param name="Message">One sentence for people.</param>
/// <param name="Retryable">Whether the very same request may succeed later.</param>
/// <param name="Details">Machine-readable extras or null.</param>
public sealed record ErrorBody(
    int Code, string Name, string Message, bool Retryable, IReadOnlyDictionary<string, object>? Details = null)
{
    public static ErrorBody From(Error error) => new(
        (int)error.Code, ErrorCatalogue.NameOf(error.Code), error.Message, error.Retryable, error.Details);
}
