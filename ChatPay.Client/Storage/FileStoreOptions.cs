using ChatPay.Core.Cryptography;

namespace ChatPay.Client;

/// <summary>
/// How a <see cref="FileStore"/> derives its key and when it tidies up. Every value has a bound that is checked.
/// </summary>
public sealed record FileStoreOptions
{
    /// <summary>
    /// Memory that one guess at the passphrase of a new store costs, in kibibytes. 8 to 1,048,576; default 65,536,
    /// which is 64 MiB. A store that exists keeps what it was made with.
    /// </summary>
    public int PassphraseMemoryKib { get; init; } = 64 * 1024;

    /// <summary>Passes over that memory, 1 to 100; default 3.</summary>
    public int PassphrasePasses { get; init; } = 3;

    /// <summary>
    /// The file is written anew when what was replaced in it outweighs what is in force by this many bytes. 0 to
    /// 1 GiB; default 256 KiB. Keys that were replaced or removed are in the file until then, sealed like the rest;
    /// where nothing is left in force, as when a device signs out, it is written anew at once.
    /// </summary>
    public int CompactAfterBytes { get; init; } = 256 * 1024;

    internal Argon2Parameters Argon2 => new(1, PassphraseMemoryKib, PassphrasePasses);

    /// <exception cref="ArgumentException">A value is out of its bounds.</exception>
    internal FileStoreOptions Checked()
    {
        Require(Argon2id.AreValid(Argon2), nameof(PassphraseMemoryKib));
        Require(CompactAfterBytes is >= 0 and <= 1024 * 1024 * 1024, nameof(CompactAfterBytes));
        return this;

        static void Require(bool holds, string name)
        {
            if (!holds)
            {
                throw new ArgumentException($"{nameof(FileStoreOptions)}.{name} is out of its bounds.", name);
            }
        }
    }
}
