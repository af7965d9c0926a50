namespace ChatPay.Core.Mls;

/// <summary>
/// The application's authentication service, RFC 9420 section 5.3.1: it says whether a credential speaks the truth. It
/// is asked about every leaf that comes into a group, about all leaves when joining one, and about external senders.
/// </summary>
/// <remarks>It is called while a message is processed, so it answers at once, from what it knows.</remarks>
public interface ICredentialValidator
{
    /// <summary>Whether the credential's identity belongs to whoever holds the signature key.</summary>
    bool IsValid(Credential credential, ReadOnlySpan<byte> signatureKey);

    /// <summary>
    /// Whether <paramref name="next"/> may stand where <paramref name="current"/> stood: the same client with new keys
    /// or a new credential. Asked where an Update, a commit's path or a resync changes them (section 5.3.1), and to
    /// find a former group's members in a reinitialised or branched one (sections 11.2 and 11.3).
    /// </summary>
    bool MayReplace(LeafNode current, LeafNode next);
}
