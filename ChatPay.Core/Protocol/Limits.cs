namespace ChatPay.Core.Protocol;

/// <summary>
/// Every bound that clients can meet, named once. Servers refuse what is beyond them before doing any work.
/// </summary>
public static class Limits
{
    /// <summary>Version of the hub contract; a client that speaks another gets <c>upgrade_required</c>.</summary>
    public const int ProtocolVersion = 1;

    public const int HandleMinChars = 3;
    public const int HandleMaxChars = 32;
    public const int DisplayNameMaxChars = 64;
    public const int DeviceNameMaxChars = 64;
    public const int PasswordMinChars = 10;
    public const int PasswordMaxChars = 128;
    public const int DevicesPerAccount = 10;

    /// <summary>Largest hub frame; anything larger goes over HTTP.</summary>
    public const int HubFrameBytes = 128 * 1024;

    /// <summary>Largest HTTP request body.</summary>
    public const int HttpBodyBytes = 4 * 1024 * 1024;

    /// <summary>Largest MLS PrivateMessage in a send.</summary>
    public const int MessageBodyBytes = 64 * 1024;

    /// <summary>Largest commit, Welcome or GroupInfo each.</summary>
    public const int HandshakeBytes = 1024 * 1024;

    /// <summary>Commits up to this size (all parts together) may go over the hub; larger ones over HTTP.</summary>
    public const int HubHandshakeBytes = 64 * 1024;

    /// <summary>
    /// Longest text in a message, in UTF-16 units; only its receivers see it, and refuse what is longer.
    /// </summary>
    public const int TextMaxChars = 8000;

    /// <summary>Longest name of a group, in UTF-16 units; as encrypted as any text.</summary>
    public const int GroupNameMaxChars = 64;

    public const int KeyPackageBytes = 4 * 1024;
    public const int KeyPackagesPerUpload = 100;
    public const int KeyPackagesPerDevice = 200;

    /// <summary>Below this many one-time key packages a device is told to upload more.</summary>
    public const int KeyPackagesLowStock = 20;

    public const int MembersPerGroup = 500;
    public const int AccountsPerClaim = 100;
    public const int ConversationsPerAccount = 10_000;

    /// <summary>What fits into one hub frame; conversations without a cursor come back as changed.</summary>
    public const int CursorsPerHello = 1000;

    /// <summary>Views in one Hello whose client asks for a bound; of the others it names id and head.</summary>
    public const int ViewsPerHello = 100;

    public const int ConversationsPerPage = 100;
    public const int ConversationsPerSync = 100;
    public const int EventsPerSyncPage = 200;
    /// <summary>Bytes of bodies in one page of a log, or of device messages, beyond the first one of it.</summary>
    public const int PageBytes = 1024 * 1024;

    /// <summary>For as long, at least, a repeated send is known again: see PROTOCOL, <i>Retention</i>.</summary>
    public const int RetentionMinDays = 1;

    public const int RetentionMaxDays = 3650;
    public const int MarksPerRequest = 100;
    public const int DeviceMessagesPerPage = 100;

    public const int PairwisePerRequest = 100;
    public const int PairwiseBytes = 16 * 1024;

    /// <summary>Pairwise messages that wait for one device.</summary>
    public const int PairwiseWaiting = 1000;

    /// <summary>How long a repeated pairwise message is known again, acknowledged or not, in hours.</summary>
    public const int PairwiseMemoryHours = 24;

    /// <summary>A message of the PIN vault; the largest there is has 567 bytes.</summary>
    public const int VaultMessageBytes = 1024;

    /// <summary>Attempts at the PIN vault that are listed.</summary>
    public const int VaultAttempts = 100;

    /// <summary>Guesses and waits that a realm which is a process of its own tells its server of at once.</summary>
    public const int RealmNews = 500;

    /// <summary>Entries of a chain of the key log in one request.</summary>
    public const int KeyEntriesPerRequest = 16;

    /// <summary>
    /// Entries of one account's chain in 24 hours, so that nobody fills a chain for good. Revocations and new identities do
    /// not count: they are what helps whose device was stolen.
    /// </summary>
    public const int KeyEntriesPerDay = 128;

    /// <summary>New identities of one account in 24 hours, begun anew or not: each warns everybody it knows.</summary>
    public const int IdentitiesPerDay = 16;

    /// <summary>Places at the end of a chain that only revocations and new identities get.</summary>
    public const int KeyEntriesReserved = 512;

    public const int KeyEntriesPerPage = 64;

    /// <summary>An account's keys as its root secret wraps them.</summary>
    public const int WrappedKeysBytes = 94;

    /// <summary>The JSON in a chunk of an archive; with its padding it has 64 KiB at most.</summary>
    public const int ArchiveJsonBytes = (64 * 1024) - 1;

    /// <summary>A sealed chunk of an archive.</summary>
    public const int ArchiveChunkBytes = (64 * 1024) + 29;

    public const int ArchiveChunksPerPage = 16;

    /// <summary>Bytes in one page of an archive, beyond the first chunk of it.</summary>
    public const int ArchivePageBytes = 512 * 1024;

    /// <summary>Above this a number in JSON is not what every client reads.</summary>
    public const long JsonNumberMax = (1L << 53) - 1;

    /// <summary>Accounts whose presence one connection watches.</summary>
    public const int PresenceWatched = 500;

    /// <summary>When somebody was last seen is only known this roughly, in minutes.</summary>
    public const int LastSeenMinutes = 5;

    public const int StatementPageEntries = 100;

    /// <summary>Entries in one export; a longer history is exported period by period.</summary>
    public const int ExportEntries = 500_000;

    /// <summary>Largest amount in minor units: far above any wallet, far below overflow of a sum of balances.</summary>
    public const long AmountMaxMinor = 1_000_000_000_000_000;

    /// <summary>Commands that are applied together or not at all.</summary>
    public const int LedgerGroupMax = 128;

    /// <summary>Why an account was frozen, thawed or closed, in UTF-16 units.</summary>
    public const int LedgerReasonMaxChars = 200;

    public const int CardLifetimeMinSeconds = 60;
    public const int CardLifetimeMaxSeconds = 30 * 24 * 3600;

    /// <summary>How long a transfer waits to be accepted unless its terms say otherwise.</summary>
    public const int CardLifetimeDefaultSeconds = 24 * 3600;

    /// <summary>How long those have whom a split asks, unless its terms say otherwise: they are reminded after a day.</summary>
    public const int SplitLifetimeDefaultSeconds = 7 * 24 * 3600;

    /// <summary>How long nothing is drawn on a mandate after there was not enough for a draw.</summary>
    public const int MandateRetrySeconds = 3600;

    /// <summary>How far ahead the end of an authorisation may be.</summary>
    public const int AuthorisationMaxSeconds = 3600;

    /// <summary>How long an authorisation lasts that this project's clients sign.</summary>
    public const int AuthorisationSeconds = 600;

    /// <summary>People in one picture of a wallet's activity.</summary>
    public const int ActivityPeople = 100;

    /// <summary>Entries that one such picture, or one filtered page, looks through.</summary>
    public const int ActivityEntries = 100_000;

    public const int FilteredEntries = 5_000;

    /// <summary>Pay codes that one account may have open.</summary>
    public const int PayCodes = 20;

    public const int PayCodeMinSeconds = 60;
    public const int PayCodeMaxSeconds = 24 * 3600;

    /// <summary>How long a code is good that lets others ask its owner.</summary>
    public const int PayerCodeSeconds = 60;

    /// <summary>People whom one split asks.</summary>
    public const int SplitShares = 100;

    /// <summary>Shares of one packet.</summary>
    public const int PacketShares = 1_000;

    /// <summary>How long a mandate may last.</summary>
    public const int MandateMaxSeconds = 366 * 24 * 3600;

    /// <summary>Parts of a card in one page, and of an answer without an event.</summary>
    public const int CardPartsPage = 200;

    /// <summary>Receipts of one card in one answer.</summary>
    public const int ReceiptsPerPage = 50;

    public const int CardMemoMaxChars = 280;
    public const int CardSaltBytes = 32;
    public const int DetailCommitBytes = 32;
}
