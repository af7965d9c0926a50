using System.ComponentModel.DataAnnotations;

namespace ChatPay.Server.Vault;

/// <summary>
/// Configuration section <c>Realm</c>: of a process that runs one realm alone (<c>--role realm</c>); anything else passes it
/// over.
/// </summary>
internal sealed class RealmOptions
{
    public const string Section = "Realm";

    /// <summary>
    /// The public key, in base64, that the server's tokens are verified with: what <c>vault token-key</c> prints there.
    /// Default empty, with which no realm starts.
    /// </summary>
    [MaxLength(64)]
    public string TokenKey { get; set; } = "";
}
