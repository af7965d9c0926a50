namespace ChatPay.Core.Protocol;

/// <summary><c>POST /v1/accounts</c>.</summary>
/// <param name="Session">"cookie" sets an HttpOnly cookie and returns no token; "token" returns a bearer token.</param>
public sealed record SignUpRequest(
    string Handle, string DisplayName, string Password, NewDevice Device, string Session = "token");

/// <summary><c>POST /v1/sessions</c>. With <see cref="DeviceId"/> an existing device signs in again.</summary>
/// <param name="DeviceToken">
/// The last <see cref="SessionReply.DeviceToken"/> this device was given; browsers send it as a cookie instead. With it a
/// device is not held up by what strangers get wrong.
/// </param>
public sealed record SignInRequest(
    string Handle, string Password, NewDevice Device, DeviceId? DeviceId = null, string Session = "token",
    string? DeviceToken = null);

/// <param name="Name">Shown in the device list, such as "Firefox on Linux".</param>
/// <param name="SignatureKey">The device's Ed25519 MLS signature key, 32 bytes.</param>
public sealed record NewDevice(string Name, byte[] SignatureKey);

/// <param name="Token">Bearer token, base64url of 32 random bytes; null where a cookie was asked for.</param>
/// <param name="DeviceToken">What the device is recognised by when it signs in again; null where a cookie carries it.</param>
public sealed record SessionReply(
    AccountView Account, DeviceView Device, string? Token, DateTimeOffset ExpiresAt, string? DeviceToken = null);

public sealed record AccountView(AccountId Id, string Handle, string DisplayName);

/// <summary><c>GET /v1/me</c>.</summary>
/// <param name="Sandbox">Whether this server hands out play money.</param>
/// <param name="Presence">Who may see whether this account is there.</param>
public sealed record MeReply(
    AccountView Account, DeviceView Device, bool Sandbox, IReadOnlyList<AssetView> Assets,
    PresenceVisibility Presence = PresenceVisibility.Contacts);

/// <param name="Fingerprint">SHA-256 of the signature key, lower-case hex.</param>
public sealed record DeviceView(
    DeviceId Id, string Name, byte[] SignatureKey, string Fingerprint, DateTimeOffset CreatedAt,
    DateTimeOffset LastSeenAt, bool Current);

public sealed record ChangePasswordRequest(string CurrentPassword, string NewPassword);

public sealed record ChangeProfileRequest(string DisplayName);

/// <summary><c>POST /v1/key-packages</c>: MLSMessages with KeyPackages of the calling device.</summary>
/// <param name="LastResort">Handed out, and kept, when no one-time package is left; null leaves the old one.</param>
public sealed record UploadKeyPackagesRequest(IReadOnlyList<byte[]> KeyPackages, byte[]? LastResort);

public sealed record KeyPackageCount(int OneTime, bool HasLastResort);

/// <summary><c>POST /v1/key-packages/claim</c>: one package for each live device of each account.</summary>
public sealed record ClaimKeyPackagesRequest(IReadOnlyList<AccountId> Accounts);

/// <param name="Missing">Live devices that have no key package at all.</param>
public sealed record ClaimKeyPackagesReply(IReadOnlyList<ClaimedKeyPackage> KeyPackages, IReadOnlyList<DeviceId> Missing);

public sealed record ClaimedKeyPackage(AccountId Account, DeviceId Device, byte[] KeyPackage);
