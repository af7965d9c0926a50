using System.Diagnostics;

namespace ChatPay.Server.Database.GroupCommit;

/// <summary>
/// Activity source <c>ChatPay.GroupCommit</c>: one span per batch, linked to the calls whose commands are in it, and over
/// the database's own spans. Costs nothing while nobody listens.
/// </summary>
internal static class CommitSpan
{
    /// <summary>A large batch names only the first of its callers.</summary>
    private const int LinksMax = 32;

    private static readonly ActivitySource Source = new("ChatPay.GroupCommit");

    /// <summary>What a command that is made now will be linked to.</summary>
    public static Activity? Call => Source.HasListeners() ? Activity.Current : null;

    public static Activity? Begin(IReadOnlyList<WriteCommand> batch)
    {
        if (!Source.HasListeners())
        {
            return null;
        }

        var links = batch
            .Where(command => command.Call is { Recorded: true })
            .Take(LinksMax)
            .Select(command => new ActivityLink(command.Call!.Context));
        var span = Source.StartActivity("commit", ActivityKind.Internal, parentContext: default, links: links);
        return span?.SetTag("chatpay.commands", batch.Count);
    }
}
