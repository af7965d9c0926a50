namespace ChatPay.LoadTest.Paying;

/// <summary>How everybody pays just now; changed only while nothing is under way.</summary>
internal sealed class PayWay
{
    /// <summary>Whether what is paid arrives with its post, instead of being held until it is accepted.</summary>
    public bool IsAtOnce { get; set; }
}
