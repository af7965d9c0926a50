using System.ComponentModel.DataAnnotations;
using ChatPay.Core.Cryptography;

namespace ChatPay.Server.Accounts;

/// <summary>Configuration section <c>Accounts</c>.</summary>
internal sealed class AccountOptions
{
    public const string Section = "Accounts";

    /// <summary>Whether anybody may sign up. Default true.</summary>
    public bool SignUpOpen { get; set; } = true;

    /// <summary>Memory of one password hash, in kibibytes, 8,192 to 1,048,576. Default 19,456 (19 MiB).</summary>
    [Range(8192, 1_048_576)]
    public int PasswordMemoryKib { get; set; } = 19_456;

    /// <summary>Passes of one password hash over its memory, 1 to 20. Default 2.</summary>
    [Range(1, 20)]
    public int PasswordPasses { get; set; } = 2;

    /// <summary>Password hashes computed at once, 1 to 64; each takes its memory. Default 4.</summary>
    [Range(1, 64)]
    public int PasswordConcurrency { get; set; } = 4;

    /// <summary>Password hashes waiting at most, 1 to 10,000; beyond it callers get <c>overloaded</c>. Default 128.</summary>
    [Range(1, 10_000)]
    public int PasswordQueueCapacity { get; set; } = 128;

    /// <summary>A session ends when it was not used for this long, in days, 1 to 365. Default 30.</summary>
    [Range(1, 365)]
    public int SessionIdleDays { get; set; } = 30;

    /// <summary>A session ends this long after its sign-in, used or not, in days, 1 to 400. Default 365.</summary>
    [Range(1, 400)]
    public int SessionMaxDays { get; set; } = 365;

    /// <summary>
    /// How long a node trusts that a session it has checked still lives, in milliseconds, 0 to 2,000. It is how long a
    /// revocation may take on the other nodes. Default 1,500.
    /// </summary>
    [Range(0, 2000)]
    public int SessionCacheMs { get; set; } = 1500;

    /// <summary>Checked sessions remembered at most, 100 to 1,000,000. Default 20,000.</summary>
    [Range(100, 1_000_000)]
    public int SessionCacheCapacity { get; set; } = 20_000;

    /// <summary>Account names remembered at most, 100 to 1,000,000. Default 20,000.</summary>
    [Range(100, 1_000_000)]
    public int DirectoryCacheCapacity { get; set; } = 20_000;

    /// <summary>How old a remembered display name may be, in milliseconds, 0 to 60,000. Default 10,000.</summary>
    [Range(0, 60_000)]
    public int DirectoryCacheMs { get; set; } = 10_000;

    /// <summary>Look-ups of handles, of one account, per minute, 1 to 1,000,000. Default 60.</summary>
    [Range(1, 1_000_000)]
    public int HandleLookupsPerMinute { get; set; } = 60;

    /// <summary>How often what features failed to do for an account is tried again, in seconds, 1 to 3,600. Default 10.</summary>
    [Range(1, 3600)]
    public int LifecycleRetrySeconds { get; set; } = 10;

    public Argon2Parameters PasswordParameters => new(1, PasswordMemoryKib, PasswordPasses);
}

/// <summary>Configuration section <c>SignInLimits</c>. The counts are of one node and start anew with it.</summary>
internal sealed class SignInLimitOptions
{
    public const string Section = "SignInLimits";

    /// <summary>Failures of one address at one account before it has to wait, 1 to 1,000. Default 5.</summary>
    [Range(1, 1000)]
    public int PerAccountAndAddress { get; set; } = 5;

    /// <summary>Failures of one address at all accounts before it has to wait, 1 to 100,000. Default 200.</summary>
    [Range(1, 100_000)]
    public int PerAddress { get; set; } = 200;

    /// <summary>
    /// Failures at one account from devices and addresses it never signed in from before those have to wait, 1 to
    /// 100,000. Default 20.
    /// </summary>
    [Range(1, 100_000)]
    public int PerAccountFromStrangers { get; set; } = 20;

    /// <summary>Failures of one known device before it has to wait, 1 to 1,000. Default 10.</summary>
    [Range(1, 1000)]
    public int PerKnownDevice { get; set; } = 10;

    /// <summary>The first wait, in milliseconds, doubled with every further failure, 100 to 60,000. Default 1,000.</summary>
    [Range(100, 60_000)]
    public int FirstDelayMs { get; set; } = 1000;

    /// <summary>The longest wait, in seconds, 1 to 86,400. Default 300.</summary>
    [Range(1, 86_400)]
    public int MaxDelaySeconds { get; set; } = 300;

    /// <summary>Failures are forgotten after this long without another, in seconds, 1 to 86,400. Default 3,600.</summary>
    [Range(1, 86_400)]
    public int ForgetSeconds { get; set; } = 3600;

    /// <summary>Counts kept at most, 1,000 to 10,000,000; the longest unused go first. Default 100,000.</summary>
    [Range(1000, 10_000_000)]
    public int Capacity { get; set; } = 100_000;
}
