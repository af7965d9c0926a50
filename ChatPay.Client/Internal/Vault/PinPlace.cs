using System.Security.Cryptography;
using System.Text;
using ChatPay.Core.Protocol;
using ChatPay.Core.Vault;

namespace ChatPay.Client.Internal.Vault;

/// <summary>
/// Where a PIN is: the realms, how many of them are needed, and at which addresses they are. A realm under the same id at
/// another address may be somebody else's machine, which has nothing, and says what it likes.
/// </summary>
internal sealed class PinPlace
{
    /// <exception cref="ArgumentException">Realms and threshold are none, or the addresses are not theirs.</exception>
    public PinPlace(PinPlaceRecord record)
    {
        ArgumentNullException.ThrowIfNull(record);
        if (record.Addresses.Count != record.Realms.Count)
        {
            throw new ArgumentException("Each realm has one address.", nameof(record));
        }

        Record = record;
        Configuration = new RealmConfiguration([.. record.Realms.Select(static realm => new RealmId(realm))], record.Threshold);
        Digest = SHA256.HashData(
            [.. Configuration.Digest, .. Encoding.UTF8.GetBytes(string.Join('\n', record.Addresses))]);
    }

    public PinPlaceRecord Record { get; }

    public RealmConfiguration Configuration { get; }

    /// <summary>32 bytes, by which one is told from another; known to this device alone.</summary>
    public byte[] Digest { get; }

    /// <exception cref="ChatPayException">What the server names cannot be.</exception>
    public static PinPlace Of(VaultView view)
    {
        ArgumentNullException.ThrowIfNull(view);
        try
        {
            return new PinPlace(new PinPlaceRecord(
                view.Realms, view.Threshold,
                [
                    .. view.Realms.Select(realm =>
                        view.Hosts?.FirstOrDefault(one => one.Realm == realm)?.Address.ToString() ?? ""),
                ]));
        }
        catch (ArgumentException malformed)
        {
            throw LocalErrors.Offline(malformed);
        }
    }

    public bool IsSame(PinPlace other) => Digest.AsSpan().SequenceEqual(other.Digest);
}

/// <summary>The same, as it is kept.</summary>
/// <param name="Realms">Their ids, in the order of their shares.</param>
/// <param name="Threshold">How many of them are needed.</param>
/// <param name="Addresses">Of each realm; empty where it is in the server.</param>
internal sealed record PinPlaceRecord(IReadOnlyList<Guid> Realms, int Threshold, IReadOnlyList<string> Addresses);
