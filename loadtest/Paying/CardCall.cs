using System.Buffers.Text;
using System.Text;
using System.Text.Json;
using ChatPay.Core.Protocol;

namespace ChatPay.LoadTest.Paying;

/// <summary>
/// A call of <c>CardAct</c> that is made once, as a client serialises it, and written again and again with other values of the
/// same length in the same places.
/// </summary>
internal sealed class CardCall
{
    private const int UuidChars = 36;
    private static readonly JsonSerializerOptions s_json = ProtocolJson.Create();
    private readonly byte[] _frame;

    /// <param name="id">SignalR's id of the call, which its answer repeats.</param>
    public CardCall(string id, CardActRequest request) => _frame = Encoding.UTF8.GetBytes(
        $"{{\"type\":1,\"invocationId\":\"{id}\",\"target\":\"CardAct\",\"arguments\":["
        + JsonSerializer.Serialize(request, s_json) + "]}\u001e");

    public ReadOnlySpan<byte> Frame => _frame;

    /// <summary>Where a member's value begins in the frame: the first one of this name.</summary>
    /// <param name="name">With what stands before the value, such as <c>"card":"</c>.</param>
    public int PlaceOf(string name)
    {
        var bytes = Encoding.UTF8.GetBytes(name);
        var at = _frame.AsSpan().IndexOf(bytes);
        return at >= 0 ? at + bytes.Length : throw new ArgumentException("The call has no such member.", nameof(name));
    }

    public void Put(int at, Guid id) => Utf8Formatter.TryFormat(id, _frame.AsSpan(at, UuidChars), out _);

    public void Put(int at, long number, int digits) =>
        Utf8Formatter.TryFormat(number, _frame.AsSpan(at, digits), out _, new('D', (byte)digits));

    public void Put(int at, ReadOnlySpan<byte> bytes) =>
        Base64.EncodeToUtf8(bytes, _frame.AsSpan(at, Base64.GetMaxEncodedToUtf8Length(bytes.Length)), out _, out _);
}
