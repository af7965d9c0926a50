using System.Net.Http.Headers;
using System.Security.Cryptography;
using System.Text.Json;
using ChatPay.Core.Protocol;
using ChatPay.Core.Vault;
using ChatPay.Server.Realtime;
using Microsoft.Extensions.Options;

namespace ChatPay.Server.Vault;

/// <summary>
/// Comes to the realms that are processes of their own for what happened there, and tells the devices that are connected to
/// this node. Each node does so for itself, from when it first has an answer: so there is nobody to agree on who looks, and
/// whoever fails over has lost nothing. A realm that does not answer is looked at less often, and nothing else comes of it.
/// </summary>
/// <remarks>
/// What a realm says is its operator's word, who may be another party: it is told as this realm's, whichever it names, and no
/// more of it than fits a look. Devices believe no more of it than of the list that they ask the same realm for.
/// </remarks>
internal sealed partial class RealmWatch(
    VaultPlan plan, RealmTokens tokens, Fanout fanout, IOptions<VaultOptions> options, TimeProvider time,
    ILogger<RealmWatch> logger) : BackgroundService
{
    /// <summary>The rest of what there is waits for the next look.</summary>
    private const int PagesPerLook = 20;

    private const int AnswerBytes = 1024 * 1024;

    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan s_longestPause = TimeSpan.FromMinutes(1);
    private static readonly JsonSerializerOptions s_json = ProtocolJson.Create();

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        if (options.Value.NewsSeconds == 0 || plan.Hosts.Count == 0)
        {
            return;
        }

        using var http = new HttpClient(new SocketsHttpHandler
        {
            UseCookies = false,
            AllowAutoRedirect = false,
            ConnectTimeout = s_patience,
            PooledConnectionLifetime = TimeSpan.FromMinutes(5),
        })
        {
            Timeout = s_patience,
            MaxResponseContentBufferSize = AnswerBytes,
        };
        await Task.WhenAll(plan.Hosts.Select(host => WatchAsync(http, host, stoppingToken)));
    }

    private async Task WatchAsync(HttpClient http, RealmHostView host, CancellationToken cancellationToken)
    {
        var pause = TimeSpan.FromSeconds(options.Value.NewsSeconds);
        string? cursor = null;
        for (var failures = 0; ; await Task.Delay(Spread(Pause(pause, failures)), time, cancellationToken))
        {
            try
            {
                for (var page = 0; page < PagesPerLook; page++)
                {
                    var news = await AskAsync(http, host, cursor, cancellationToken);
                    Tell(host, news.News);
                    cursor = news.Next;
                    if (!news.More)
                    {
                        break;
                    }
                }

                if (failures > 0)
                {
                    Log.Answers(logger, host.Realm);
                }

                failures = 0;
            }
            catch (Exception failure) when (!cancellationToken.IsCancellationRequested)
            {
                // Whatever it is: the cursor is where it was, and the next look goes on from there.
                VaultMetrics.Failed();
                if (++failures == 1)
                {
                    Log.Silent(logger, host.Realm, failure.Message);
                }
            }
        }
    }

    private async Task<RealmNews> AskAsync(
        HttpClient http, RealmHostView host, string? cursor, CancellationToken cancellationToken)
    {
        var after = cursor is null ? "" : "?after=" + Uri.EscapeDataString(cursor);
        using var request = new HttpRequestMessage(
            HttpMethod.Get, new Uri(host.Address, $"v1/vault/realms/{host.Realm:D}/news{after}"));
        request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", tokens.IssueOwn(new RealmId(host.Realm)));
        using var answer = await http.SendAsync(request, cancellationToken);
        answer.EnsureSuccessStatusCode();
        var news = await answer.Content.ReadFromJsonAsync<RealmNews>(s_json, cancellationToken);
        return news is { News.Count: <= Limits.RealmNews, Next.Length: <= NewsCursor.CharactersMost }
            ? news : throw new JsonException("The realm told more than it may.");
    }

    private void Tell(RealmHostView host, IReadOnlyList<KeysSignal> news)
    {
        foreach (var signal in news)
        {
            if (signal.Attempt is { } attempt)
            {
                fanout.KeysHeard(new KeysSignal(signal.Account, 0, Attempt: attempt with { Realm = host.Realm }));
            }
            else if (signal.Wait is { } wait)
            {
                fanout.KeysHeard(new KeysSignal(signal.Account, 0, Wait: wait with { Realm = host.Realm }));
            }
        }

        VaultMetrics.Told(news.Count);
    }

    private static TimeSpan Pause(TimeSpan usual, int failures)
    {
        var pause = usual;
        for (var doubled = 0; doubled < failures && pause < s_longestPause; doubled++)
        {
            pause *= 2;
        }

        return failures == 0 || pause < s_longestPause ? pause : TimeSpan.FromTicks(Math.Max(usual.Ticks, s_longestPause.Ticks));
    }

    /// <summary>Between three and five quarters of it, so that nodes that started together do not come together.</summary>
    private static TimeSpan Spread(TimeSpan pause) => pause * (0.75 + (RandomNumberGenerator.GetInt32(501) / 1000.0));

    private static partial class Log
    {
        [LoggerMessage(6010, LogLevel.Warning,
            "Realm {Realm} does not say what happens there: devices hear of guesses at it only when they connect. {Reason}")]
        public static partial void Silent(ILogger logger, Guid realm, string reason);

        [LoggerMessage(6011, LogLevel.Information, "Realm {Realm} says again what happens there")]
        public static partial void Answers(ILogger logger, Guid realm);
    }
}
