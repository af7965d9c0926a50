using System.Globalization;
using ChatPay.Core.Transparency;

namespace ChatPay.Verify;

/// <summary>Signed checkpoints, and why one is none.</summary>
internal static class Notes
{
    /// <param name="what">What the note is, at the beginning of a sentence.</param>
    /// <returns>Null where it does not hold, which is said then.</returns>
    public static Checkpoint? Open(ReadOnlySpan<byte> note, NoteVerifier verifier, string what, Verdict verdict)
    {
        // A log of ours is called what its key is called.
        var rejection = Checkpoint.Open(note, verifier.Name, verifier, out var checkpoint);
        if (checkpoint is null)
        {
            verdict.Fail($"{what} is no good: {Sentence(rejection)}.");
            return null;
        }

        verdict.Say(string.Create(
            CultureInfo.InvariantCulture,
            $"{what} is signed with the key that was named: {checkpoint.Size:N0} entries of {checkpoint.Origin}."));
        return checkpoint;
    }

    public static string Sentence(LogRejection rejection) => rejection switch
    {
        LogRejection.TooLarge => "it is too large",
        LogRejection.NoteMalformed => "it is no signed note",
        LogRejection.SignatureMalformed => "a line below it is no signature",
        LogRejection.SignerUnknown => "the key that was named did not sign it",
        LogRejection.SignatureInvalid => "its signature is not right, so it was changed after it was signed",
        LogRejection.CheckpointMalformed => "it does not say origin, size and root",
        LogRejection.OriginOther => "it is of another log",
        LogRejection.IndexOutOfRange => "its place is not in the log",
        LogRejection.SizesInvalid => "its sizes are not those of a log that grew",
        LogRejection.HashLengthWrong => "a hash has not 32 bytes",
        LogRejection.ProofLengthWrong => "the proof is longer or shorter than it has to be",
        LogRejection.RootMismatch => "the proof does not lead to the root that was signed",
        LogRejection.EntryMalformed => "it is no entry of a chain",
        LogRejection.KeyInvalid => "it brings a key that is none",
        LogRejection.AccountOther => "it is of another account",
        LogRejection.OutOfOrder => "it does not have the next number",
        LogRejection.Forked => "it follows another history than the entries before it",
        LogRejection.EntrySignatureInvalid => "the identity key in force did not sign it, or its new key does not prove itself",
        LogRejection.BeginningInvalid => "the chain does not begin with an identity key",
        LogRejection.DeviceKnown => "its device is there already, or was revoked",
        LogRejection.DeviceUnknown => "it revokes a device that is not there",
        LogRejection.KeyReused => "its key is or was another's",
        LogRejection.ChainTooLong => "the chain is longer than any may be",
        _ => rejection.ToString(),
    };
}
