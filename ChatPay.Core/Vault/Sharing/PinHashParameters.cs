using System.Buffers.Binary;
using ChatPay.Core.Cryptography;

namespace ChatPay.Core.Vault;

/// <summary>
/// How much work a PIN is for whoever tries it: Argon2id, kept with each registration so that it can grow.
/// </summary>
/// <param name="MemoryKib">Memory in kibibytes: 8 to <see cref="VaultLimits.MemoryMaxKib"/>.</param>
/// <param name="Passes">Passes over that memory: 1 to <see cref="VaultLimits.PassesMax"/>.</param>
/// <param name="Lanes">One; there is no other yet.</param>
public readonly record struct PinHashParameters(int MemoryKib, int Passes, int Lanes)
{
    /// <summary>The encoding's size in bytes: version (1), memory (4), passes (1), lanes (1).</summary>
    public const int SizeBytes = 7;

    /// <summary>Argon2id in its version 1.3; another function or version would be another number.</summary>
    private const byte Version = 1;

    /// <summary>What new registrations take: 64 MiB, three passes.</summary>
    public static PinHashParameters Default { get; } = new(64 * 1024, 3, 1);

    public bool AreValid =>
        MemoryKib is >= Argon2id.MinMemorySize and <= VaultLimits.MemoryMaxKib
        && Passes is >= 1 and <= VaultLimits.PassesMax
        && Lanes == 1;

    /// <summary>
    /// Whether the others take no less memory and no fewer passes, and more of one: of two that each take more of something none
    /// is weaker, so that clients with different defaults do not register in turn.
    /// </summary>
    public bool AreWeakerThan(PinHashParameters others) =>
        MemoryKib <= others.MemoryKib && Passes <= others.Passes && this != others;

    /// <returns>False for another length, another function, or parameters out of bounds.</returns>
    public static bool TryRead(ReadOnlySpan<byte> bytes, out PinHashParameters parameters)
    {
        parameters = default;
        if (bytes.Length != SizeBytes || bytes[0] != Version
            || BinaryPrimitives.ReadUInt32BigEndian(bytes[1..]) > VaultLimits.MemoryMaxKib)
        {
            return false;
        }

        parameters = new PinHashParameters(BinaryPrimitives.ReadInt32BigEndian(bytes[1..]), bytes[5], bytes[6]);
        return parameters.AreValid;
    }

    /// <exception cref="InvalidOperationException">The parameters are out of bounds.</exception>
    public void Write(Span<byte> destination)
    {
        if (!AreValid)
        {
            throw new InvalidOperationException("The parameters are out of bounds.");
        }

        destination[0] = Version;
        BinaryPrimitives.WriteInt32BigEndian(destination[1..], MemoryKib);
        destination[5] = (byte)Passes;
        destination[6] = (byte)Lanes;
    }

    internal Argon2id ToArgon2id() => new(new Argon2Parameters(Lanes, MemoryKib, Passes));
}
