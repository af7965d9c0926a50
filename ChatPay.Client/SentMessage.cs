using ChatPay.Core.Protocol;

namespace ChatPay.Client;

/// <summary>A message that the server has committed.</summary>
/// <param name="Id">Its id.</param>
/// <param name="Seq">
/// Its place in the conversation's log; 0 where a message with this id had been accepted before, at a place that is not
/// known here any more.
/// </param>
/// <param name="At">The server's time; the default where <paramref name="Seq"/> is 0.</param>
public sealed record SentMessage(ClientMessageId Id, long Seq, DateTimeOffset At);
