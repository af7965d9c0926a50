namespace ChatPay.Core.Vault;

/// <summary>The second byte of a message of the vault.</summary>
public enum VaultMessageType : byte
{
    Register1Request = 1,
    Register1Response = 2,
    Register2Request = 3,
    Register2Response = 4,
    Recover1Request = 5,
    Recover1Response = 6,
    Recover2Request = 7,
    Recover2Response = 8,
    Recover3Request = 9,
    Recover3Response = 10,
    DeleteRequest = 11,
    DeleteResponse = 12,
    ClearFailuresRequest = 13,
    ClearFailuresResponse = 14,
    Refusal = 15,
    BeginWaitRequest = 16,
    WaitResponse = 17,
    CancelWaitRequest = 18,
    CancelWaitResponse = 19,
}
