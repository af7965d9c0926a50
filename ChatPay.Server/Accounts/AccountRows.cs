using System.Security.Cryptography;
using ChatPay.Core.Protocol;

namespace ChatPay.Server.Accounts;

/// <summary>An account as sign-in sees it, with what is known of where the attempt comes from.</summary>
/// <param name="RecognisedDevice">The device of this account whose recognition token came with the attempt.</param>
/// <param name="KnownAddress">Whether the account has signed in from such an address lately.</param>
internal sealed record SignInRow(
    Guid Id, string Handle, string DisplayName, string PasswordHash, Guid? RecognisedDevice, bool KnownAddress)
{
    public AccountView View => new(new AccountId(Id), Handle, DisplayName);
}

internal sealed record AccountRow(Guid Id, string Handle, string DisplayName)
{
    public AccountView View => new(new AccountId(Id), Handle, DisplayName);
}

/// <param name="RevokedAt">Null while the device lives.</param>
internal sealed record DeviceRow(
    Guid Id, Guid AccountId, string Name, byte[] SignatureKey, DateTime CreatedAt, DateTime LastSeenAt,
    DateTime? RevokedAt)
{
    public DeviceView View(DeviceId? current) => new(
        new DeviceId(Id), Name, SignatureKey, Convert.ToHexStringLower(SHA256.HashData(SignatureKey)),
        new DateTimeOffset(CreatedAt), new DateTimeOffset(LastSeenAt), current?.Value == Id);
}

/// <param name="TokenHash">The key of the session's row.</param>
/// <param name="DueToTouch">Whether its last use is so long ago that it should be written down again.</param>
internal sealed record SessionRow(
    byte[] TokenHash, Guid DeviceId, Guid AccountId, bool DeviceRevoked, bool Ended, bool DueToTouch);

/// <summary>A new session before it is stored.</summary>
internal sealed record NewSession(byte[] TokenHash, byte[] RecognitionHash, int AddressMark, int IdleDays, int MaxDays);

/// <summary>What signing in has made.</summary>
/// <param name="ExpiresAt">When the session ends if it is not used.</param>
internal sealed record SignedIn(DeviceRow Device, DateTime ExpiresAt);
