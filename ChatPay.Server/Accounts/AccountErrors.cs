using ChatPay.Core.Protocol;

namespace ChatPay.Server.Accounts;

/// <summary>The sentences of the errors that more than one place answers with.</summary>
internal static class AccountErrors
{
    public static readonly Error Unauthenticated = new(ErrorCode.Unauthenticated, "Sign in first.");

    public static readonly Error SessionRevoked = new(
        ErrorCode.DeviceRevoked, "This device was revoked. Sign in as a new device.");

    /// <summary>One sentence for an unknown handle and a wrong password, so that it tells neither.</summary>
    public static readonly Error BadCredentials = new(ErrorCode.BadCredentials, "The handle or the password is wrong.");

    public static readonly Error HandleTaken = new(ErrorCode.HandleTaken, "Somebody else has this handle.");

    public static readonly Error HandleLookalike = new(
        ErrorCode.HandleLookalike, "This handle looks too much like one that somebody else has.");

    public static readonly Error SignUpClosed = new(
        ErrorCode.SignUpClosed, "This server takes no new accounts at the moment.");

    public static readonly Error AccountUnknown = new(ErrorCode.AccountUnknown, "Nobody has this handle.");

    public static readonly Error DeviceUnknown = new(ErrorCode.DeviceUnknown, "This account has no such device.");

    public static readonly Error DeviceRevoked = new(
        ErrorCode.DeviceRevoked, "This device was revoked. Sign in as a new device with a new key.");

    public static readonly Error DeviceKeyMismatch = new(
        ErrorCode.DeviceKeyMismatch, "The device is known by another signature key. Sign in as a new device.");

    public static readonly Error KeyOfAnotherDevice = new(
        ErrorCode.DeviceKeyMismatch, "This signature key belongs to another device. Make a new key.");

    public static readonly Error TooManyDevices = new(
        ErrorCode.TooManyDevices,
        $"An account has at most {Limits.DevicesPerAccount} devices. Revoke one on another device first.");

    public static readonly Error Busy = new(
        ErrorCode.Overloaded, "Too many people are signing in right now. Try again in a moment.");
}
