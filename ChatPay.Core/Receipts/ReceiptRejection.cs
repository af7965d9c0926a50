namespace ChatPay.Core.Receipts;

/// <summary>Why a receipt, or a part of it, does not hold. Hostile input yields one of these, never an exception.</summary>
public enum ReceiptRejection
{
    /// <summary>Nothing is wrong.</summary>
    None = 0,

    /// <summary>What is signed is no receipt in the one way to write it.</summary>
    Malformed = 1,

    /// <summary>It is of another ledger log than the reader knows, or names another key for it.</summary>
    LedgerOther = 2,

    /// <summary>The ledger log's key did not sign it.</summary>
    SignatureInvalid = 3,

    /// <summary>What it says in words is not what was signed.</summary>
    WordsOther = 4,

    /// <summary>The ledger accounts that the transfer names are not the payer's and the payee's.</summary>
    PartiesOther = 5,

    /// <summary>The terms are of another card, asset or people, or of less money.</summary>
    TermsOther = 6,

    /// <summary>No device of the payer's signed for it.</summary>
    Unauthorised = 7,

    /// <summary>What the device signed is of another payer or card, or of other details.</summary>
    StatementOther = 8,

    /// <summary>What the device signed let another transfer happen.</summary>
    StatementElsewhere = 9,

    /// <summary>More was moved than the device signed for.</summary>
    StatementExceeded = 10,

    /// <summary>The signature is not that device's key's.</summary>
    DeviceSignatureInvalid = 11,

    /// <summary>The ledger log had not taken it in when the receipt was made.</summary>
    NotSealed = 12,

    /// <summary>The checkpoint is not the ledger log's.</summary>
    CheckpointInvalid = 13,

    /// <summary>It is not proved that the transfer is in the log at its place.</summary>
    NotIncluded = 14,

    /// <summary>It says something else than what the reader knows of the card.</summary>
    CardOther = 15,
}
