namespace ChatPay.LoadTest.Baselines;

/// <summary>
/// What the WebSocket relay says: type(1) ‖ seq(8) ‖ message id(16), and in a delivery the payload. It is sent
/// message id(16) ‖ payload.
/// </summary>
internal static class RelayFrames
{
    public const byte Answer = 1;
    public const byte Delivery = 2;
    public const int IdAt = 9;
    public const int HeaderBytes = 25;
}
