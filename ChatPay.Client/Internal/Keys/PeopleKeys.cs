using System.Collections.Concurrent;
using ChatPay.Core.Mls;
using ChatPay.Core.Protocol;
using ChatPay.Core.Transparency;
using static ChatPay.Client.Internal.Keys.ChainLeaves;

namespace ChatPay.Client.Internal.Keys;

/// <summary>
/// Whose identity key is whose, as far as this device knows. The first one that somebody shows is accepted; another one
/// later stops what is sent and paid to them until it is accepted too.
/// </summary>
internal sealed partial class PeopleKeys(DeviceCore core, KeyLogFollower log, KeyAlarms alarms)
{
    /// <summary>So many devices that a chain has not are kept of one person: more make it no worse.</summary>
    private const int MostUnlogged = 64;

    private readonly ConcurrentDictionary<AccountId, PersonKeysRecord> _people = new();

    /// <summary>What the entries of each come to: to check them all again for every leaf would take its time.</summary>
    private readonly ConcurrentDictionary<AccountId, KeyChain> _chains = new();
    private long _version;

    /// <summary>Rises with everything that is learned of somebody: what was judged by it before is judged again.</summary>
    public long Version => Interlocked.Read(ref _version);

    public async Task LoadAsync(CancellationToken cancellationToken)
    {
        _people.Clear();
        _chains.Clear();
        _due.Clear();
        await foreach (var (_, value) in core.ListAsync(StoreKeys.PersonKeys, cancellationToken))
        {
            var record = DeviceCore.Decode<PersonKeysRecord>(value);
            _people[record.Account] = record;
        }
    }

    /// <summary>
    /// Whether devices of this account prove themselves: it is in the key log, or one of them has shown a certificate, whatever
    /// the server shows of the log.
    /// </summary>
    public bool HasChain(AccountId account) =>
        _people.TryGetValue(account, out var person) && (person.Entries.Count > 0 || person.SeenKey is not null);

    /// <summary>Somebody's chain as far as it was checked, for nobody to change; null where none is known.</summary>
    public KeyChain? ChainOf(AccountId account)
    {
        if (_people.GetValueOrDefault(account) is not { Entries: { Count: > 0 } entries })
        {
            return null;
        }

        if (!_chains.TryGetValue(account, out var chain) || chain.Length != entries.Count)
        {
            _chains[account] = chain = KeyLogFollower.Restore(account, entries);
        }

        return chain;
    }

    /// <summary>
    /// Whether a leaf of this account's is one that it may have: of a device that the chain has, under one of its keys since
    /// the last reset, or without one, from before there was a chain. A device that was revoked since is on its way out.
    /// </summary>
    public bool IsOwn(OwnLeaf leaf) => IsOf(core.Device.Account.Id, leaf);

    /// <summary>
    /// Whether a leaf is not its account's as far as its chain is known here. To accept what an account shows lets nobody in who
    /// is not its person.
    /// </summary>
    public bool IsStranger(ShownLeaf shown) => !IsOf(shown.Account, shown.Leaf);

    /// <summary>Whether a leaf is its account's, or known not to be, as far as its chain is known here.</summary>
    public bool IsKnown(ShownLeaf shown) => IsOf(shown.Account, shown.Leaf)
        || (shown.Account != core.Device.Account.Id && _people.TryGetValue(shown.Account, out var person)
            && (person.Unlogged?.Count >= MostUnlogged || person.Unlogged?.Any(one => IsSame(one, shown.Leaf)) == true));

    /// <summary>What an alarm says of a leaf: its identity key, its device and the device's key.</summary>
    public static IReadOnlyList<string> Evidence(OwnLeaf leaf) =>
    [
        Convert.ToBase64String(leaf.IdentityKey), leaf.Device.ToString(),
        .. leaf.SignatureKey is { } key ? [Convert.ToBase64String(key)] : Array.Empty<string>(),
    ];

    /// <summary>
    /// Leaves of somebody else whose chain has them not, as far as it is known here: it is looked at, and what it has not
    /// either stops what goes to them. Where it cannot be looked at now, that does too, until it can.
    /// </summary>
    public async Task LookAtAsync(
        AccountId account, IReadOnlyList<OwnLeaf> leaves, CancellationToken cancellationToken)
    {
        var isSeen = true;
        try
        {
            await Transport.RetryAsync(
                core,
                async token =>
                {
                    await CheckAsync(account, token);
                    return default(Unit);
                },
                cancellationToken, attempts: DeviceKeys.Looks);
        }
        catch (ChatPayException failed) when (!failed.EndsDevice && !core.Stopping.IsCancellationRequested)
        {
            isSeen = false;
        }

        var changed = new HashSet<AccountId>();
        using (await core.EnterAsync(cancellationToken))
        {
            foreach (var leaf in leaves)
            {
                See(account, leaf, changed);
            }
        }

        if (changed.Count > 0)
        {
            await KeepAsync(changed, cancellationToken);
        }

        if (isSeen)
        {
            await AlarmAsync(account, cancellationToken);
        }
    }

    /// <summary>Those of the accounts to whom nothing may go.</summary>
    public IReadOnlyList<AccountId> Blocked(IEnumerable<AccountId> accounts) =>
        [.. accounts.Where(account => _people.TryGetValue(account, out var person) && IsChanged(person))];

    /// <summary>Whether somebody has another identity key than the accepted one, or a device that their chain has not.</summary>
    public static bool IsChanged(PersonKeysRecord person) =>
        person is { Entries.Count: > 0, Unlogged.Count: > 0 }
        || (person is { SeenKey: { } seen, AcceptedKey: { } accepted } && !seen.AsSpan().SequenceEqual(accepted));

    /// <summary>What is kept of somebody; an empty record where nothing is.</summary>
    public Task<PersonKeysRecord> FindAsync(AccountId account, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        return Task.FromResult(
            _people.GetValueOrDefault(account) ?? new PersonKeysRecord(account, [], null, null, false, default));
    }

    /// <summary>
    /// Looks at the devices of a group that is in a new epoch: each shows the identity key that vouches for it. Called
    /// behind the core's gate, so what is new is written down afterwards.
    /// </summary>
    public void See(Group group)
    {
        ArgumentNullException.ThrowIfNull(group);
        var changed = new HashSet<AccountId>();
        foreach (var (account, leaf) in GroupKeeper.Shown(group.Members.Select(static member => member.Leaf)))
        {
            See(account, leaf, changed);
        }

        if (changed.Count > 0)
        {
            core.Background(token => KeepAsync(changed, token));
        }
    }

    /// <summary>Looks at a device that is about to be added, as at one of a group.</summary>
    /// <returns>
    /// Whether it may be: not where its person has another identity key than the one that was accepted, nor where the log has
    /// not this device, or has seen it go.
    /// </returns>
    public bool MayAdd(LeafNode node)
    {
        if (GroupKeeper.Shown([node]) is not [{ Leaf: { IdentityKey.Length: > 0 } leaf, Account: var account }])
        {
            // Whether it needs a certificate is the group's to ask.
            return true;
        }

        var changed = new HashSet<AccountId>();
        See(account, leaf, changed);
        if (changed.Count > 0)
        {
            core.Background(token => KeepAsync(changed, token));
        }

        var person = _people.GetValueOrDefault(account);
        var chain = ChainOf(account);
        return chain?.IsRevoked(leaf.Device) != true
            && (account == core.Device.Account.Id
                ? chain is not null && IsLogged(chain, leaf) : person is null || !IsChanged(person));
    }

    /// <summary>Stores what the log says of somebody's chain.</summary>
    public async Task PutAsync(KeyChain chain, IReadOnlyList<byte[]> entries, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(chain);
        var isNews = false;
        using (await core.EnterAsync(cancellationToken))
        {
            var person = await FindAsync(chain.Account, cancellationToken);
            var seen = person.SeenKey;
            if (chain.Length > 0 && (seen is null || chain.IdentityKeys.Any(key => seen.AsSpan().SequenceEqual(key))
                || IsReplaced(person, chain)))
            {
                seen = chain.IdentityKey.ToArray();
            }

            var next = person with
            {
                Entries = entries,
                SeenKey = seen,
                AcceptedKey = person.AcceptedKey ?? seen,
                CheckedAt = core.Time.GetUtcNow(),
                Unlogged = person.Unlogged?.Where(leaf => !IsLogged(chain, leaf)).ToList() is { Count: > 0 } left ? left : null,
                Withheld = null,
            };
            isNews = IsChanged(next) && !IsChanged(person);
            await WriteAsync(next, cancellationToken);
            _chains[chain.Account] = chain;
            Interlocked.Increment(ref _version);
        }

        if (isNews && chain.Account != core.Device.Account.Id)
        {
            core.Signals.Tell(new IdentityChangedSignal(chain.Account));
        }
    }

    /// <summary>
    /// Accepts the identity key that somebody shows. One that their chain has not is nobody's to accept unseen: what is
    /// accepted then is the chain's, and the next leaf under the other key stops everything again. Where a device that their
    /// chain has not is in a group, nothing goes there all the same, see
    /// <see cref="DeviceKeys.Refusal(ConversationState, Group)"/>.
    /// </summary>
    /// <param name="shown">The one that the person has looked at; null for whichever it is now.</param>
    /// <param name="isVerified">Whether safety numbers were compared.</param>
    /// <exception cref="ChatPayException">It is another one by now, or there is none.</exception>
    public async Task AcceptAsync(
        AccountId account, byte[]? shown, bool isVerified, CancellationToken cancellationToken)
    {
        using (await core.EnterAsync(cancellationToken))
        {
            var person = await FindAsync(account, cancellationToken);
            if (person.SeenKey is not { } seen)
            {
                throw LocalErrors.NotReady("This person has shown no identity key yet.");
            }

            if (shown is not null && !shown.AsSpan().SequenceEqual(seen))
            {
                throw LocalErrors.NotReady("The identity key has changed once more meanwhile.");
            }

            if (shown is null && ChainOf(account) is { } chain
                && !chain.IdentityKeys.Any(key => seen.AsSpan().SequenceEqual(key)))
            {
                seen = chain.IdentityKey.ToArray();
            }

            var isVerifiedStill = person.Verified && seen.AsSpan().SequenceEqual(person.AcceptedKey);
            await WriteAsync(
                person with
                {
                    SeenKey = seen,
                    AcceptedKey = seen,
                    Verified = isVerified || isVerifiedStill,

                    // The numbers that were compared say nothing of a device.
                    Unlogged = shown is null ? null : person.Unlogged,
                },
                cancellationToken);
        }
    }

    private void See(AccountId account, OwnLeaf leaf, HashSet<AccountId> changed)
    {
        var person = _people.GetValueOrDefault(account) ?? new PersonKeysRecord(account, [], null, null, false, default);
        var chain = ChainOf(account);
        var key = leaf.IdentityKey;
        if (key.Length == 0 || (chain is not null && IsLogged(chain, leaf)))
        {
            // Or under an earlier key of a chain that goes on: the device has not shown its new certificate yet.
            return;
        }

        var isSeen = person.SeenKey is { } seen && key.AsSpan().SequenceEqual(seen);
        if (account == core.Device.Account.Id)
        {
            // Somebody vouches for a device of this very account who is not its person, unless the chain has got it since.
            core.Background(async token =>
            {
                await core.Keys.LookAtOwnAsync([leaf], token);
                if (!isSeen && ChainOf(account) is null)
                {
                    await alarms.RaiseAsync(KeyAlarmKind.IdentityUnlogged, account, Evidence(leaf), token);
                }
            });
            return;
        }

        var next = person;
        if (!isSeen && (chain is null || !HasKey(chain, key)))
        {
            next = next with { SeenKey = key, AcceptedKey = person.AcceptedKey ?? key };
        }

        var unlogged = person.Unlogged ?? [];
        if (unlogged.Count < MostUnlogged && !unlogged.Any(one => IsSame(one, leaf)))
        {
            next = next with { Unlogged = [.. unlogged, leaf] };
        }

        if (!ReferenceEquals(next, person))
        {
            _people[account] = next;
            Interlocked.Increment(ref _version);
            _due[account] = true;
            changed.Add(account);
        }
    }

    /// <summary>
    /// Whether the log, rather than a leaf, says that somebody has another key: what it has of a leaf's key explains nothing
    /// but that, for a key that no entry has brought stays unexplained by entries about other things.
    /// </summary>
    private bool IsReplaced(PersonKeysRecord person, KeyChain chain) =>
        (ChainOf(chain.Account) is not { } before || !before.IdentityKey.SequenceEqual(chain.IdentityKey))
        && (person.AcceptedKey is not { } accepted || !chain.IdentityKey.SequenceEqual(accepted));

    private bool IsOf(AccountId account, OwnLeaf leaf) =>
        leaf.IdentityKey.Length == 0 || ChainOf(account) is not { } chain || IsLogged(chain, leaf);

    private async Task KeepAsync(IEnumerable<AccountId> accounts, CancellationToken cancellationToken)
    {
        foreach (var account in accounts)
        {
            PersonKeysRecord person;
            using (await core.EnterAsync(cancellationToken))
            {
                person = await FindAsync(account, cancellationToken);
                await WriteAsync(person, cancellationToken);
            }

            if (IsChanged(person))
            {
                core.Signals.Tell(new IdentityChangedSignal(account));
            }
        }

        CheckDue();
    }

    private async Task WriteAsync(PersonKeysRecord person, CancellationToken cancellationToken)
    {
        await core.WriteAsync(
            [new(StoreKeys.KeysOf(person.Account), DeviceCore.Encode(person))], cancellationToken);
        _people[person.Account] = person;
        Interlocked.Increment(ref _version);
    }
}
