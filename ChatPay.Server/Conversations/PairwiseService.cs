using ChatPay.Core.Protocol;
using ChatPay.Server.Hosting;
using ChatPay.Server.Realtime;

namespace ChatPay.Server.Conversations;

/// <summary>Messages from one device to others: bounded here, stored, then pushed wherever their receivers are.</summary>
internal sealed class PairwiseService(DeviceMessageStore store, Fanout fanout, IdFactory ids, TimeProvider time)
{
    public async Task<Result<Unit>> SendAsync(
        Caller caller, SendToDevicesRequest request, CancellationToken cancellationToken)
    {
        var (envelopes, clientId) = request;
        if (envelopes.Count is 0 or > Limits.PairwisePerRequest || envelopes.Contains(null!)
            || envelopes.DistinctBy(envelope => envelope.Device).Count() != envelopes.Count
            || envelopes.Any(envelope => envelope.Body.Length == 0) || clientId.Value == Guid.Empty)
        {
            return new Error(
                ErrorCode.InvalidArgument,
                $"A request has a client id and 1 to {Limits.PairwisePerRequest} messages that are not empty, one per device.",
                new Dictionary<string, object>(StringComparer.Ordinal) { ["max"] = Limits.PairwisePerRequest });
        }

        if (envelopes.Any(envelope => envelope.Body.Length > Limits.PairwiseBytes)
            || envelopes.Sum(envelope => envelope.Body.Length) > Limits.HubHandshakeBytes)
        {
            return HubErrors.TooLarge;
        }

        var now = time.GetUtcNow();
        var sent = await store.SendAsync(
            caller, clientId, envelopes.ToDictionary(envelope => envelope.Device, envelope => new DeviceMessage(
                ids.NewUuid(), DeviceMessageKind.Pairwise, Conversation: null, Seq: 0, envelope.Body, now, caller.Account,
                caller.Device, clientId)),
            cancellationToken);
        if (!sent.IsOk)
        {
            return sent.Error!;
        }

        if (sent.Value.Count > 0)
        {
            fanout.Committed([], sent.Value);
        }

        return default(Unit);
    }
}
