namespace ChatPay.Core.Protocol;

/// <summary><c>GET /v1/keys/log</c>, and <c>/v1/ledger/log</c> of the ledger log: which one this server keeps.</summary>
/// <param name="Origin">The first line of its checkpoints; another one is another log.</param>
/// <param name="VerifierKey">The log's key in C2SP signed-note's way of writing one.</param>
public sealed record KeyLogView(string Origin, string VerifierKey);

/// <summary><c>POST /v1/keys/entries</c>: what comes next in the chain of the caller's account.</summary>
/// <param name="Entries">
/// As docs/TRANSPARENCY.md lays them out, 1 to <see cref="Limits.KeyEntriesPerRequest"/>; all are taken or none.
/// </param>
public sealed record AppendKeysRequest(IReadOnlyList<byte[]> Entries);

/// <summary>A part of an account's chain, proved to be in the log: <c>GET /v1/keys/accounts/{account}</c>.</summary>
/// <param name="From">Number of the first entry here.</param>
/// <param name="Entries">At most <see cref="Limits.KeyEntriesPerPage"/>.</param>
/// <param name="Length">Entries of the chain that are in the log.</param>
/// <param name="Checkpoint">The signed note of the log's size and root, against which the proofs are.</param>
/// <param name="Consistency">
/// From the size that was asked with to the checkpoint's, 32 bytes each; empty where none was, or it is the same.
/// </param>
public sealed record KeyChainReply(
    AccountId Account, long From, IReadOnlyList<LoggedKeyEntry> Entries, long Length, string Checkpoint,
    IReadOnlyList<byte[]> Consistency);

/// <summary>An entry, and where it is in the log.</summary>
/// <param name="Salt">32 bytes: with it the entry makes the log's leaf.</param>
/// <param name="Index">The leaf's place in the log.</param>
/// <param name="Proof">Inclusion proof, 32 bytes each.</param>
public sealed record LoggedKeyEntry(byte[] Entry, byte[] Salt, long Index, IReadOnlyList<byte[]> Proof);

/// <summary><c>GET /v1/keys/consistency</c>: that the log only grew between two sizes.</summary>
/// <param name="Proof">32 bytes each.</param>
/// <param name="Checkpoint">
/// The newest signed note, of size <paramref name="To"/>; null where an older size was asked for.
/// </param>
public sealed record ConsistencyReply(long From, long To, IReadOnlyList<byte[]> Proof, string? Checkpoint = null);

/// <summary><c>GET /v1/keys/wrapped</c>: the account's keys, wrapped by its root secret.</summary>
/// <param name="Revision">How often they were stored; 0 where there are none.</param>
public sealed record WrappedKeysView(long Revision, byte[]? Wrapped = null);

/// <summary><c>PUT /v1/keys/wrapped</c>.</summary>
/// <param name="Revision">The one that this replaces: that of the last view.</param>
/// <param name="Wrapped"><see cref="Limits.WrappedKeysBytes"/> bytes.</param>
public sealed record StoreWrappedKeysRequest(long Revision, byte[] Wrapped);
