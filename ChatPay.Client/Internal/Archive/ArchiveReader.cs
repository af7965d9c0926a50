using System.Runtime.CompilerServices;
using ChatPay.Core.Archive;
using ChatPay.Core.Protocol;

namespace ChatPay.Client.Internal.Archive;

/// <summary>
/// Reads the archive back, stream by stream, and believes nothing that does not stand in its place. Where a stream is
/// damaged it is said, and only that one ends there.
/// </summary>
internal sealed class ArchiveReader(DeviceCore core, ArchiveKeeper keeper)
{
    public async IAsyncEnumerable<ArchiveEntry> ReadAsync([EnumeratorCancellation] CancellationToken cancellationToken)
    {
        // The key may be in the wrapped keys still.
        await keeper.FollowAsync(cancellationToken);
        var view = await Transport.RetryAsync(core, core.Client.ArchiveAsync, cancellationToken);
        if (view.Archive is not { } archive)
        {
            yield break;
        }

        var own = await core.Keys.Own.ReadAsync(cancellationToken);
        using var cipher = ArchiveKeeper.CipherOf(own.ArchiveKey, core.Device.Account.Id, archive)
            ?? throw LocalErrors.ArchiveUnreadable();

        // Every device archives what it sees, so most messages are there several times. As large as an archive may be.
        var seen = new HashSet<(DeviceId, ClientMessageId)>();
        foreach (var stream in Expected(view, archive))
        {
            await foreach (var entry in ReadAsync(cipher, stream, cancellationToken))
            {
                if (entry is not ArchivedMessage message || seen.Add((message.Device, message.Id)))
                {
                    yield return entry;
                }
            }
        }
    }

    /// <summary>What the server says there is, and what this device has sent, whatever the server says.</summary>
    private IEnumerable<ArchiveStreamView> Expected(ArchiveView view, ArchiveId archive)
    {
        var me = core.Device.Device;
        var sent = core.Archive.Queue.Record is { } record && record.Id == archive ? Math.Max(0, record.Next) : 0;
        return sent > 0 && view.Streams.All(stream => stream.Device != me)
            ? view.Streams.Append(new ArchiveStreamView(me, sent))
            : view.Streams.Select(stream => stream.Device == me
                ? stream with { Chunks = Math.Max(stream.Chunks, sent) } : stream);
    }

    private async IAsyncEnumerable<ArchiveEntry> ReadAsync(
        ArchiveCipher cipher, ArchiveStreamView stream, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var previous = new byte[ArchiveCipher.DigestSize];
        var number = 0L;
        while (true)
        {
            var from = number;
            var page = await Transport.RetryAsync(
                core, token => core.Client.ArchivePageAsync(cipher.Id, stream.Device, from, token), cancellationToken);
            foreach (var chunk in page.Chunks)
            {
                if (!cipher.TryOpen(stream.Device, number, previous, chunk, out var json)
                    || !ArchiveJson.TryDecode(json, out var content))
                {
                    yield return new ArchiveDamage(stream.Device, number, ArchiveDamageKind.Unreadable);
                    yield break;
                }

                foreach (var item in content.Items)
                {
                    yield return Show(item, content.People);
                }

                previous = ArchiveCipher.DigestOf(chunk);
                number++;
            }

            // Nobody goes on asking a server that says there is more and never shows it.
            if (page.Next is null || page.Chunks.Count == 0)
            {
                break;
            }
        }

        if (number < stream.Chunks)
        {
            yield return new ArchiveDamage(stream.Device, number, ArchiveDamageKind.Missing);
        }
    }

    private static ArchivedMessage Show(ArchivedItem item, IReadOnlyList<AccountView> people)
    {
        var by = people.FirstOrDefault(person => person.Id == item.Account) ?? new AccountView(item.Account, "", "");
        ArchivedMessage message = item.Content switch
        {
            ArchivedContent.Text text => new ArchivedText(text.Value),
            ArchivedContent.GroupName name => new ArchivedGroupName(name.Value),
            ArchivedContent.Card card => new ArchivedCard(
                card.Id, card.Memo, card.IsSound, card.Kind, card.Payer, card.Payee, card.AmountMinor, card.Asset),
            _ => throw new InvalidOperationException("Core knows no other content."),
        };
        return message with
        {
            Conversation = item.Conversation,
            Seq = item.Seq,
            At = item.At,
            By = by,
            Device = item.Device,
            Id = item.Id,
        };
    }
}
