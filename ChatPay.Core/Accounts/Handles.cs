using System.Text;
using ChatPay.Core.Protocol;

namespace ChatPay.Core.Accounts;

/// <summary>
/// What a handle may be, and which handles are so alike that only one of them may exist. People pay each other by handle,
/// so <c>paypal</c>, <c>paypa1</c> and <c>pay_pall</c> must not be three accounts.
/// </summary>
public static class Handles
{
    /// <summary>Names that read as if they spoke for the server. Their look-alikes are refused with them.</summary>
    private static readonly string[] Reserved =
    [
        "abuse", "account", "accounts", "admin", "administrator", "anonymous", "api", "bank", "billing", "bot", "channel",
        "chat", "chatpay", "everybody", "everyone", "finance", "group", "health", "help", "helpdesk", "here", "hostmaster",
        "info", "ledger", "login", "me", "mod", "moderator", "nobody", "none", "noreply", "null", "official", "operator",
        "owner", "pay", "payment", "payments", "payout", "postmaster", "privacy", "refund", "refunds", "register", "root",
        "sandbox", "security", "service", "settings", "signin", "signup", "staff", "status", "sudo", "superuser", "support",
        "sysadmin", "system", "team", "test", "treasury", "undefined", "unknown", "user", "users", "vault", "verified",
        "verify", "wallet", "webmaster",
    ];

    private static readonly HashSet<string> ReservedSkeletons =
        [.. Reserved.Select(Skeleton)];

    private static readonly string OwnName = Skeleton("chatpay");

    /// <summary>Null for a handle that may be looked up; otherwise what is wrong with its form.</summary>
    public static Error? CheckForm(string? handle)
    {
        if (string.IsNullOrEmpty(handle) || handle.Length is < Limits.HandleMinChars or > Limits.HandleMaxChars)
        {
            return Invalid($"A handle has {Limits.HandleMinChars} to {Limits.HandleMaxChars} characters.");
        }

        if (handle.Any(char.IsUpper))
        {
            return Invalid("A handle has no upper-case letters. Use lower-case letters, digits and _.");
        }

        if (!handle.All(letter => char.IsAsciiLetterLower(letter) || char.IsAsciiDigit(letter) || letter is '_'))
        {
            return Invalid("A handle has only lower-case letters a to z, digits and _.");
        }

        return handle.All(letter => letter is '_') ? Invalid("A handle needs at least one letter or digit.") : null;
    }

    /// <summary>Null for a handle that may be signed up if nobody has it or a look-alike; otherwise why not.</summary>
    public static Error? CheckNew(string? handle)
    {
        if (CheckForm(handle) is { } error)
        {
            return error;
        }

        return IsReserved(handle!)
            ? new Error(ErrorCode.HandleReserved, "This handle is reserved, because it reads like part of the server itself.")
            : null;
    }

    /// <summary>
    /// The handle with what the eye confuses folded together; two handles with the same skeleton are look-alikes.
    /// <list type="number">
    /// <item>underscores are dropped: <c>an_na</c> is <c>anna</c>;</item>
    /// <item>pairs that read as one letter become it: <c>rn</c> is <c>m</c>, <c>vv</c> is <c>w</c>;</item>
    /// <item>single look-alikes: <c>0</c> is <c>o</c>, <c>1</c> and <c>i</c> are <c>l</c>, <c>5</c> is <c>s</c>;</item>
    /// <item>a letter doubled counts once: <c>paypall</c> is <c>paypal</c>, <c>m00n</c> is <c>moon</c>.</item>
    /// </list>
    /// A number at the end keeps its length, because <c>anna1</c> and <c>anna11</c> are told apart by it: a run there that
    /// consists of digits alone is not shortened.
    /// </summary>
    public static string Skeleton(string handle)
    {
        ArgumentNullException.ThrowIfNull(handle);
        var text = handle.Replace("_", "", StringComparison.Ordinal)
            .Replace("rn", "m", StringComparison.Ordinal)
            .Replace("vv", "w", StringComparison.Ordinal);
        var numberStart = text.AsSpan().TrimEnd("0123456789").Length;

        var skeleton = new StringBuilder(text.Length);
        var runStart = 0;
        for (var index = 0; index < text.Length; index++)
        {
            var doubled = index > 0 && Fold(text[index - 1]) == Fold(text[index]);
            runStart = doubled ? runStart : index;
            if (!doubled || runStart >= numberStart)
            {
                skeleton.Append(Fold(text[index]));
            }
        }

        return skeleton.ToString();
    }

    private static char Fold(char letter) => letter switch
    {
        '0' => 'o',
        '1' or 'i' => 'l',
        '5' => 's',
        _ => letter,
    };

    /// <summary>Reserved names, names with one as a word (<c>support_team</c>), and whatever carries the server's name.</summary>
    private static bool IsReserved(string handle) =>
        ReservedSkeletons.Contains(Skeleton(handle))
        || handle.Split('_', StringSplitOptions.RemoveEmptyEntries).Any(word =>
            word.Length >= Limits.HandleMinChars && SpeaksForServer.Contains(Skeleton(word)))
        || Skeleton(handle).Contains(OwnName, StringComparison.Ordinal);

    /// <summary>The reserved names that would still mislead as one word among others.</summary>
    private static readonly HashSet<string> SpeaksForServer =
    [
        .. new[]
        {
            "admin", "administrator", "billing", "helpdesk", "moderator", "official", "operator", "refund", "refunds",
            "security", "staff", "support", "sysadmin", "system", "treasury", "verified",
        }.Select(Skeleton),
    ];

    private static Error Invalid(string reason) => new(ErrorCode.HandleInvalid, reason);
}
