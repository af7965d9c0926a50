using ChatPay.Core.Protocol;
using ChatPay.Server.Hosting;
using Microsoft.Extensions.Options;

namespace ChatPay.Server.Accounts;

/// <summary>
/// Slows guessing down without letting a stranger lock an owner out. Three counts apply to whoever is not known: of this address
/// at this account, of this address at all accounts, and of all strangers at this account. An address the account has
/// signed in from is no stranger, so the last count does not apply to it. A device that shows its recognition token is
/// counted by itself alone: whatever others do, from wherever, its owner gets in.
/// </summary>
/// <remarks>
/// What remains to a stranger with many addresses is to make the owner's <em>first</em> sign-in from a new device at a new
/// address wait, five minutes at most per attempt. Unknown handles are counted like known ones, so the waits tell
/// nothing. The counts are of one node: with n nodes a guesser has n times as many attempts, until they are shared.
/// </remarks>
internal sealed class SignInGuard
{
    private readonly FailureBook _book;
    private readonly FailureRule _perAccountAndAddress;
    private readonly FailureRule _perAddress;
    private readonly FailureRule _perAccount;
    private readonly FailureRule _perDevice;

    public SignInGuard(IOptions<SignInLimitOptions> options, TimeProvider time)
    {
        ArgumentNullException.ThrowIfNull(options);
        var limits = options.Value;
        _book = new FailureBook(limits.Capacity, time);
        _perAccountAndAddress = Rule(limits.PerAccountAndAddress);
        _perAddress = Rule(limits.PerAddress);
        _perAccount = Rule(limits.PerAccountFromStrangers);
        _perDevice = Rule(limits.PerKnownDevice);

        FailureRule Rule(int free) => new(
            free, TimeSpan.FromMilliseconds(limits.FirstDelayMs), TimeSpan.FromSeconds(limits.MaxDelaySeconds),
            TimeSpan.FromSeconds(limits.ForgetSeconds));
    }

    /// <summary>
    /// Lets an attempt through, already counted as a failure until it says otherwise; or tells how long to wait.
    /// </summary>
    /// <param name="known">The device that is recognised, if any.</param>
    /// <param name="knownAddress">Whether the account has signed in from such an address.</param>
    public Result<Attempt> Begin(string handle, string address, DeviceId? known, bool knownAddress)
    {
        var pair = new FailureKey("pair", handle, address);
        (FailureKey Key, FailureRule Rule)[] keys = (known, knownAddress) switch
        {
            ({ } device, _) => [(Of(device), _perDevice)],
            (_, true) => [(pair, _perAccountAndAddress), (Of(address), _perAddress)],
            _ => [(pair, _perAccountAndAddress), (Of(address), _perAddress), (OfStrangers(handle), _perAccount)],
        };
        return Begin(keys);
    }

    /// <summary>For somebody who is signed in and proves the password again.</summary>
    public Result<Attempt> Begin(DeviceId device) => Begin([(Of(device), _perDevice)]);

    private Result<Attempt> Begin((FailureKey Key, FailureRule Rule)[] keys)
    {
        var wait = _book.Begin(keys);
        if (wait == TimeSpan.Zero)
        {
            return new Attempt(_book, [.. keys.Select(entry => entry.Key)]);
        }

        var seconds = (int)Math.Ceiling(wait.TotalSeconds);
        return TooMany.Requests($"Too many failed attempts. Try again in {seconds} s.", TimeSpan.FromSeconds(seconds));
    }

    private static FailureKey Of(DeviceId device) => new("device", device.ToString());

    private static FailureKey Of(string address) => new("address", address);

    private static FailureKey OfStrangers(string handle) => new("account", handle);

    /// <summary>One attempt that was let through.</summary>
    public sealed class Attempt(FailureBook book, IReadOnlyList<FailureKey> keys)
    {
        /// <summary>The password was right: what this device or address got wrong before was a slip.</summary>
        public void Succeeded()
        {
            book.Clear(keys[0]);
            foreach (var key in keys.Skip(1))
            {
                book.Undo(key);
            }
        }

        /// <summary>The attempt was not decided.</summary>
        public void Undo()
        {
            foreach (var key in keys)
            {
                book.Undo(key);
            }
        }
    }
}
