using System.Reflection;
using System.Security.Cryptography;
using System.Text;
using ChatPay.Core.Archive;
using ChatPay.Core.Cryptography;
using ChatPay.Core.Identity;
using ChatPay.Core.Protocol;
using ChatPay.Core.Vault;
using ChatPay.Server.Vault;
using ChatPay.Tests.Archive;
using ChatPay.Tests.Support;
using Npgsql;
using Xunit;

namespace ChatPay.Tests.Vault;

/// <summary>
/// What somebody can do with copies of all databases and none, one or two of the realms' key files. With two a PIN can be
/// tried, as docs/VAULT.md says of t realms: that is the control, which shows that the attack of these tests is a real one and
/// that what stops it is what is missing.
/// </summary>
public sealed class VaultSecrecyTests(ServerFixture fixture) : IClassFixture<ServerFixture>
{
    /// <summary>Of twelve digits, so that it stands nowhere by chance.</summary>
    private const string Right = "480279135246";
    private const string Wrong = "480279135247";
    private const string Said = "What was said in the archive of somebody with a PIN";
    private const int Tries = 32;
    private const int Size = Ristretto255.ScalarSize;

    /// <summary>What the server keeps wrapped by the root secret, and sealed by one of those.</summary>
    private byte[] _identitySeed = [];
    private byte[] _archiveKey = [];

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task With_every_database_and_no_key_file_a_right_PIN_and_a_wrong_one_look_alike()
    {
        using var person = await RegisteredAsync();
        var dump = await DumpAsync();
        var seen = new[] { Right, Wrong }.Select(pin =>
        {
            using var stretched = Stretched(pin, ContextOf(dump, person));

            // Every value that follows from a PIN and the dump; the blind is the attacker's own, here one.
            var element = new byte[Size];
            Assert.True(Oprf.Verifiable.Blind(stretched.AccessKey, RandomNumberGenerator.Fill, new byte[Size], element));
            byte[][] derived =
            [
                stretched.AccessKey.ToArray(), SeedOf(stretched), SHA256.HashData(stretched.AccessKey),
                HMACSHA256.HashData(stretched.AccessKey, ContextOf(dump, person).Digest), element,
                .. UnlockOf(person, dump, One(), pin),
            ];
            return (
                Stands: derived.Sum(value => VaultDump.Find(dump.Values, value).Count),
                Opens: derived.Count(value => Unwraps(dump, person, value[..32])
                    || Enumerable.Range(1, 3).Any(realm => Opens(dump, person, realm, value[..32]))));
        }).ToList();
        Assert.Equal([(0, 0), (0, 0)], seen);
        Assert.True(Unwraps(dump, person, person.Root));

        // No other key opens a row either, and a row opens at its own place alone; each with its own key does.
        for (var realm = 1; realm <= 3; realm++)
        {
            for (var time = 0; time < Tries; time++)
            {
                Assert.False(Opens(dump, person, realm, RandomNumberGenerator.GetBytes(RealmKey.SizeBytes)));
            }

            for (var other = 1; other <= 3; other++)
            {
                using var key = await KeyAsync(other);
                using var opened = dump.Open(realm, person.Account, key);
                Assert.Equal(realm == other, opened is not null);
            }
        }
    }

    /// <summary>The search is no proof of absence by itself, so it has to find each of them in an opened record.</summary>
    [Fact]
    public async Task No_column_of_any_table_holds_anything_by_which_a_PIN_could_be_tried()
    {
        using var person = await RegisteredAsync();
        Assert.True((await person.RecoverAsync(Right)).IsOk);
        Assert.Equal(VaultRejection.WrongPin, (await person.RecoverAsync(Wrong)).Rejection);
        var dump = await DumpAsync();
        Assert.Contains(dump.Values, value => value.Place == "realm_2.vault_record.sealed");
        Assert.Contains(dump.Values, value => value.Place == "realm_3.vault_attempt.device_id");
        Assert.Contains(dump.Values, value => value.Place == "public.device.signature_key");
        Assert.Contains(dump.Values, value => value.Place == "public.wrapped_keys.wrapped");
        Assert.Contains(dump.Values, value => value.Place == "public.archive_chunk.sealed");

        var records = await OpenAsync(dump, person, 1, 2, 3);
        var context = ContextOf(dump, person);
        var key = KeyOf(records[1], records[2]);
        using var stretched = Stretched(Right, context);
        var secrets = new List<(string Name, byte[] Bytes)>
        {
            ("PIN", Encoding.ASCII.GetBytes(Right)), ("root secret", person.Root),
            ("identity seed", _identitySeed), ("archive key", _archiveKey), ("what was said", Ascii(Said)),
            ("access key", stretched.AccessKey.ToArray()), ("seed", SeedOf(stretched)), ("function's key", key),
            ("unlock commitment and key", UnlockOf(person, dump, key, Right)[0]),
            ("unlock key", UnlockOf(person, dump, key, Right)[1]),
        };
        var ofRecords = records.SelectMany(record => new (string, byte[])[]
        {
            ("key share", record.KeyShare.ToArray()), ("public share", record.PublicShare.ToArray()),
            ("unlock commitment", record.UnlockCommitment.ToArray()), ("unlock tag", record.UnlockTag.ToArray()),
            ("root share", record.RootShare.ToArray()), ("encrypted root", record.EncryptedRoot.ToArray()),
            ("share commitment", record.ShareCommitment.ToArray()), ("certificate", record.Certificate.ToArray()),
        }).ToList();
        foreach (var (name, bytes) in secrets.Concat(ofRecords))
        {
            var found = VaultDump.Find(dump.Values, bytes);
            Assert.True(found.Count == 0, $"{name} stands in {string.Join(", ", found)}");
        }

        // The control: opened, in binary and written as text, the same search finds every one of them.
        DumpedValue[] opened = [.. records.Select(record => new DumpedValue("opened", record.Encoding.ToArray()))];
        DumpedValue[] written =
        [
            .. ofRecords.Select(secret => new DumpedValue("hex", Ascii(Convert.ToHexStringLower(secret.Item2)))),
            .. secrets.Select(secret => new DumpedValue("base64", Ascii(Convert.ToBase64String(secret.Bytes)))),
        ];
        Assert.All(ofRecords, secret => Assert.NotEmpty(VaultDump.Find(opened, secret.Item2)));
        Assert.All(ofRecords, secret => Assert.Contains("hex", VaultDump.Find(written, secret.Item2)));
        Assert.All(secrets, secret => Assert.Contains("base64", VaultDump.Find(written, secret.Bytes)));
        DisposeAll(records);

        // And it is these that stand there, for whoever has the root secret.
        using var keys = dump.Unwrap(person.Account, person.Root)!;
        using var cipher = ArchiveCipher.Of(keys.ArchiveKey, person.Account);
        Assert.Equal(_identitySeed, keys.IdentitySeed.ToArray());
        Assert.Contains(
            dump.Values, value => value.Place == "public.archive_chunk.sealed"
                && cipher.TryOpen(person.Device, 0, new byte[ArchiveCipher.DigestSize], value.Bytes, out var json)
                && Encoding.UTF8.GetString(json).Contains(Said, StringComparison.Ordinal));
    }

    /// <summary>
    /// One share of a line says nothing of where the line meets the axis: for every key that the function could have there is
    /// a second and a third share with which this one gives exactly it. So every output, for every PIN, is as possible as any
    /// other, and what depends on the PIN can be compared with nothing.
    /// </summary>
    [Fact]
    public async Task With_one_key_file_every_PIN_is_consistent_with_the_record()
    {
        using var person = await RegisteredAsync();
        var dump = await DumpAsync();
        var records = await OpenAsync(dump, person, 1, 2, 3);
        for (var realm = 1; realm <= 3; realm++)
        {
            var record = records[realm - 1];
            int[] others = [.. Enumerable.Range(1, 3).Where(index => index != realm)];
            for (var time = 0; time < Tries; time++)
            {
                var candidate = Scalar();
                foreach (var share in new[] { record.KeyShare.ToArray(), record.RootShare.ToArray() })
                {
                    var completed = others.ToDictionary(index => index, index => Complete(candidate, realm, share, index));
                    Assert.Equal(candidate, Combine((realm, share), (others[0], completed[others[0]])));
                    Assert.Equal(candidate, Combine((realm, share), (others[1], completed[others[1]])));
                    Assert.Equal(candidate, Combine((others[0], completed[others[0]]), (others[1], completed[others[1]])));
                }

                // The attacker can but guess the key: then the right PIN fits the record as little as a wrong one.
                Assert.False(Fits(person, dump, record, candidate, Right));
                Assert.False(Fits(person, dump, record, candidate, Wrong));
            }
        }

        // Nor is the key anything that the record itself has: a share, or a small multiple of one.
        foreach (var record in records)
        {
            foreach (var share in new[] { record.KeyShare.ToArray(), record.RootShare.ToArray() })
            {
                for (var factor = 1; factor <= 3; factor++)
                {
                    var multiple = new byte[Size];
                    Ristretto255.MultiplyScalars(share, Small(factor), multiple);
                    Assert.False(Fits(person, dump, record, multiple, Right));
                }
            }
        }

        // Two shares that do belong together do not leave that freedom: the third is what it is.
        var key = KeyOf(records[0], records[1]);
        Assert.Equal(records[2].KeyShare.ToArray(), Complete(key, 1, records[0].KeyShare.ToArray(), 3));
        DisposeAll(records);
    }

    /// <summary>
    /// Registered with the same randomness, records of two PINs differ in what is made with the unlock key or the wrapping key
    /// alone, both of which need t shares, and in the certificate over one of those; the shares are the same for every PIN.
    /// </summary>
    [Fact]
    public void Nothing_of_a_record_depends_on_the_PIN_but_what_needs_a_threshold_of_shares()
    {
        string[] needAThreshold =
            ["certificate", "unlock commitment", "unlock tag", "encrypted root", "share commitment"];
        using var one = new TestVault();
        using var other = new TestVault();
        one.Register(Right);
        other.Register(Wrong);
        using var another = new TestVault(seed: "another key of the function");
        another.Register(Right);
        for (var index = 1; index <= 3; index++)
        {
            var (record, withOtherPin) = (FieldsOf(one.Records[index - 1]!), FieldsOf(other.Records[index - 1]!));
            Assert.Equal(RealmRecord.SizeBytes, record.Values.Sum(field => field.Length));
            Assert.Equal(
                needAThreshold.Order(StringComparer.Ordinal),
                record.Keys.Where(name => !record[name].AsSpan().SequenceEqual(withOtherPin[name]))
                    .Order(StringComparer.Ordinal));

            // And these are other ones with another key of the function, for the same PIN.
            var withOtherKey = FieldsOf(another.Records[index - 1]!);
            Assert.All(needAThreshold, name => Assert.NotEqual(record[name], withOtherKey[name]));
        }
    }

    /// <summary>The control: this is what two realms together can do, and the reason why they ought not to be one.</summary>
    [Fact]
    public async Task With_two_key_files_the_right_PIN_opens_offline_and_no_other_does()
    {
        using var person = await RegisteredAsync();
        var dump = await DumpAsync();
        foreach (var (first, second) in new[] { (1, 2), (1, 3), (2, 3) })
        {
            var records = await OpenAsync(dump, person, first, second);
            var key = KeyOf(records[0], records[1]);
            var fitting = Enumerable.Range(0, Tries).Select(number => $"4802791352{number:D2}").Append(Wrong).Append(Right)
                .Distinct().Where(pin => Fits(person, dump, records[0], key, pin)).ToList();
            Assert.Equal([Right], fitting);

            var scalar = Combine(
                (first, records[0].RootShare.ToArray()), (second, records[1].RootShare.ToArray()));
            var context = ContextOf(dump, person);
            var root = new byte[VaultLimits.RootSecretBytes];
            using (var stretched = Stretched(Right, context))
            {
                Assert.True(stretched.TryDecryptRoot(context, scalar, records[0].EncryptedRoot, root));
            }

            Assert.Equal(person.Root, root);
            using (var stretched = Stretched(Wrong, context))
            {
                Assert.False(stretched.TryDecryptRoot(context, scalar, records[0].EncryptedRoot, root));
            }

            DisposeAll(records);
        }
    }

    /// <summary>Somebody with a PIN and an archive, and so with everything that the server keeps for its owner.</summary>
    private async Task<VaultPerson> RegisteredAsync()
    {
        var owner = await Person.SignUpAsync(fixture.Address);
        await owner.BeginChainAsync();
        owner.Key.Dispose();
        var person = VaultPerson.Of(owner);
        person.IdentityKey.Dispose();
        person.IdentityKey = owner.IdentityKey!;
        Assert.True((await person.RegisterAsync(Right)).IsOk);

        _identitySeed = person.IdentityKey.Export(KeyBlobFormat.RawPrivateKey);
        _archiveKey = RandomNumberGenerator.GetBytes(ArchiveCipher.KeySize);
        using var keys = AccountKeys.Of(_identitySeed, _archiveKey);
        await person.Client.StoreWrappedKeysAsync(
            new StoreWrappedKeysRequest(0, keys.Wrap(person.Account, person.Root, RandomNumberGenerator.Fill)), Cancellation);
        using var cipher = ArchiveCipher.Of(_archiveKey, person.Account);
        await person.Client.TurnOnArchiveAsync(cipher.Id, Cancellation);
        var json = ArchiveJson.Encode(new ArchiveContent(
            [], [ArchiveScene.Item("said", new ArchivedContent.Text(Said))]));
        await person.Client.StoreArchiveChunkAsync(
            cipher.Id, 0,
            cipher.Seal(person.Device, 0, new byte[ArchiveCipher.DigestSize], json, RandomNumberGenerator.Fill), Cancellation);
        return person;
    }

    private async Task<VaultDump> DumpAsync()
    {
        await using var owner = NpgsqlDataSource.Create(fixture.ConnectionString);
        return await VaultDump.ReadAsync(owner);
    }

    private async Task<RealmKey> KeyAsync(int realm) => RealmKeyFile.Open(
        await TestServer.KeyFolderAsync(fixture.ConnectionString), $"realm-{realm}", mayCreate: false)!.Key;

    private async Task<RealmRecord[]> OpenAsync(VaultDump dump, VaultPerson person, params int[] realms)
    {
        var records = new List<RealmRecord>();
        foreach (var realm in realms)
        {
            using var key = await KeyAsync(realm);
            records.Add(dump.Open(realm, person.Account, key) ?? throw new InvalidOperationException("It does not open."));
        }

        return [.. records];
    }

    private static bool Unwraps(VaultDump dump, VaultPerson person, byte[] root)
    {
        using var keys = dump.Unwrap(person.Account, root);
        return keys is not null;
    }

    private static bool Opens(VaultDump dump, VaultPerson person, int realm, byte[] key)
    {
        using var tried = RealmKey.Import(key);
        using var record = dump.Open(realm, person.Account, tried);
        return record is not null;
    }

    /// <summary>Of what stands in the databases, and the parameters, which are no secret.</summary>
    private static VaultContext ContextOf(VaultDump dump, VaultPerson person) => new(
        person.Account, dump.Row(1, person.Account).Version,
        new RealmConfiguration(
            [.. Enumerable.Range(1, 3).Select(realm => dump.Row(realm, person.Account).Realm)], RealmSchemas.Threshold).Digest,
        TestVault.Cheap);

    private static StretchedPin Stretched(string pin, VaultContext context)
    {
        using var typed = TestVault.PinOf(pin);
        return StretchedPin.Derive(typed, context);
    }

    /// <summary>The other half of what Argon2id gives, which no caller sees.</summary>
    private static byte[] SeedOf(StretchedPin stretched) => ((Secret)typeof(StretchedPin)
        .GetField("_bytes", BindingFlags.NonPublic | BindingFlags.Instance)!.GetValue(stretched)!).Span[32..].ToArray();

    /// <summary>Commitment, unlock key and the tag of the first realm that a PIN would have with a key of the function.</summary>
    private static byte[][] UnlockOf(VaultPerson person, VaultDump dump, byte[] key, string pin)
    {
        var context = ContextOf(dump, person);
        using var stretched = Stretched(pin, context);
        var output = new byte[Oprf.OutputSize];
        Assert.True(Oprf.Verifiable.Evaluate(key, stretched.AccessKey, output));
        using var unlock = UnlockKey.Derive(context, output);
        var tag = new byte[UnlockKey.TagSize];
        unlock.Tag(context, dump.Row(1, person.Account).Realm, 1, tag);
        var all = SHA512.HashData([.. "chatpay vault v1 unlock"u8, .. context.Digest, .. output]);
        Assert.Equal(all[..32], unlock.Commitment.ToArray());
        return [all[..32], all[32..], tag, output];
    }

    /// <summary>Whether anything of a record says that this PIN is right, if the function had this key.</summary>
    private static bool Fits(VaultPerson person, VaultDump dump, RealmRecord record, byte[] key, string pin)
    {
        var context = ContextOf(dump, person);
        using var stretched = Stretched(pin, context);
        var output = new byte[Oprf.OutputSize];
        Assert.True(Oprf.Verifiable.Evaluate(key, stretched.AccessKey, output));
        using var unlock = UnlockKey.Derive(context, output);
        Span<byte> tag = stackalloc byte[UnlockKey.TagSize];
        Span<byte> commitment = stackalloc byte[UnlockKey.CommitmentSize];
        unlock.Tag(context, record.Realm, record.Index, tag);
        unlock.ShareCommitment(
            context, record.Realm, record.Index, record.RootShare, record.EncryptedRoot, commitment);
        bool[] fits =
        [
            unlock.Commitment.SequenceEqual(record.UnlockCommitment), tag.SequenceEqual(record.UnlockTag),
            commitment.SequenceEqual(record.ShareCommitment),
        ];
        Assert.Single(fits.Distinct());
        return fits[0];
    }

    private static byte[] KeyOf(RealmRecord first, RealmRecord second) =>
        Combine((first.Index, first.KeyShare.ToArray()), (second.Index, second.KeyShare.ToArray()));

    private static byte[] Combine((int Index, byte[] Share) first, (int Index, byte[] Share) second)
    {
        var secret = new byte[Size];
        Assert.True(SecretSharing.TryCombineScalars(
            2, [(byte)first.Index, (byte)second.Index], [.. first.Share, .. second.Share], secret, out _));
        return secret;
    }

    /// <summary>The share at an index of the line through a secret at zero and a share that is known.</summary>
    private static byte[] Complete(byte[] secret, int known, byte[] share, int index)
    {
        var (slope, inverse, point) = (new byte[Size], new byte[Size], new byte[Size]);
        Ristretto255.SubtractScalars(share, secret, slope);
        Assert.True(Ristretto255.TryInvertScalar(Small(known), inverse));
        Ristretto255.MultiplyScalars(slope, inverse, slope);
        Ristretto255.MultiplyScalars(slope, Small(index), point);
        Ristretto255.AddScalars(point, secret, point);
        return point;
    }

    private static byte[] Scalar()
    {
        var scalar = new byte[Size];
        Oprf.RandomScalar(RandomNumberGenerator.Fill, scalar);
        return scalar;
    }

    private static byte[] Small(int number) => [(byte)number, .. new byte[Size - 1]];

    private static byte[] One() => Small(1);

    private static byte[] Ascii(string text) => Encoding.ASCII.GetBytes(text);

    private static Dictionary<string, byte[]> FieldsOf(RealmRecord record)
    {
        var context = record.Context();
        var parameters = new byte[PinHashParameters.SizeBytes];
        context.Parameters.Write(parameters);
        return new(StringComparer.Ordinal)
        {
            ["layout"] = [record.Encoding[0]],
            ["account"] = record.User.Value.ToByteArray(),
            ["version"] = record.Version.Value.ToByteArray(),
            ["realms"] = context.ConfigurationDigest.ToArray(),
            ["parameters"] = parameters,
            ["realm"] = record.Realm.Value.ToByteArray(),
            ["index"] = [(byte)record.Index],
            ["verifying key"] = record.VerifyingKey.ToArray(),
            ["certificate"] = record.Certificate.ToArray(),
            ["key share"] = record.KeyShare.ToArray(),
            ["public share"] = record.PublicShare.ToArray(),
            ["unlock commitment"] = record.UnlockCommitment.ToArray(),
            ["unlock tag"] = record.UnlockTag.ToArray(),
            ["root share"] = record.RootShare.ToArray(),
            ["encrypted root"] = record.EncryptedRoot.ToArray(),
            ["share commitment"] = record.ShareCommitment.ToArray(),
            ["most guesses"] = BitConverter.GetBytes((ushort)record.MaxGuesses),
            ["identity key"] = record.IdentityKey.ToArray(),
        };
    }

    private static void DisposeAll(RealmRecord[] records)
    {
        foreach (var record in records)
        {
            record.Dispose();
        }
    }
}
