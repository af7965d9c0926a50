using System.Text.Json;
using ChatPay.Tests.Support;

namespace ChatPay.Tests.Mls;

/// <summary>
/// Valid encodings to start from: <c>Fixtures/mls-corpus.json</c> and <c>ts-mls.json</c>, so that a seed means the same
/// everywhere, and the working group's messages where they are at hand.
/// </summary>
internal static class WireCorpus
{
    public const string SavedPath = "ChatPay.Tests/Fixtures/mls-corpus.json";

    private const string TsMlsPath = "ChatPay.Tests/Fixtures/ts-mls.json";

    /// <summary>Entries of the published file that are taken; more only make the run begin later.</summary>
    private const int PublishedMax = 20;

    private static readonly JsonSerializerOptions s_indented = new() { WriteIndented = true };

    /// <summary>MLSMessages of all kinds.</summary>
    public static IReadOnlyList<WireNode> Messages() =>
        [.. Saved("messages", WireGrammar.Message), .. OfTsMls(), .. Published(Message)];

    /// <summary>Bare ratchet trees, Commits, Proposals and GroupSecrets.</summary>
    public static IReadOnlyList<WireNode> Parts() => [.. Saved("trees", WireGrammar.Tree), .. Published(Part)];

    /// <summary>The saved file's text.</summary>
    public static string Write(IEnumerable<byte[]> messages, IEnumerable<byte[]> trees)
    {
        var corpus = new { messages = messages.Select(Convert.ToHexString), trees = trees.Select(Convert.ToHexString) };
        return JsonSerializer.Serialize(corpus, s_indented) + "\n";
    }

    private static IEnumerable<WireNode> Saved(string kind, Func<ReadOnlySpan<byte>, WireNode> parse)
    {
        using var saved = JsonDocument.Parse(File.ReadAllBytes(Repository.PathOf(SavedPath)));
        return [.. saved.RootElement.GetProperty(kind).EnumerateArray()
            .Select(item => parse(Convert.FromHexString(item.GetString()!)))];
    }

    private static IEnumerable<WireNode> OfTsMls()
    {
        using var fixture = JsonDocument.Parse(File.ReadAllBytes(Repository.PathOf(TsMlsPath)));
        var root = fixture.RootElement;
        string[] messages = ["addCommit", "welcome", "privateMessage", "removeCommit", "groupInfo", "externalCommit"];
        return
        [
            .. messages.Select(name => WireGrammar.Message(root.Hex(name))),
            .. root.GetProperty("keyPackages").EnumerateArray()
                .Select(static item => WireGrammar.Message(Convert.FromHexString(item.GetString()!))),
        ];
    }

    private static IEnumerable<WireNode> Published(Func<string, byte[], WireNode?> parse)
    {
        foreach (var file in Vectors.Files("mls").Where(static file =>
            Path.GetFileName(file).StartsWith("messages", StringComparison.Ordinal)))
        {
            using var document = Vectors.Load(file);
            foreach (var property in document.RootElement.EnumerateArray().Take(PublishedMax)
                .SelectMany(static entry => entry.EnumerateObject()))
            {
                if (parse(property.Name, Convert.FromHexString(property.Value.GetString()!)) is { } node)
                {
                    yield return node;
                }
            }
        }
    }

    private static WireNode? Message(string kind, byte[] bytes) => kind is "mls_welcome" or "mls_group_info"
        or "mls_key_package" or "public_message_application" or "public_message_proposal" or "public_message_commit"
        or "private_message" ? WireGrammar.Message(bytes) : null;

    private static WireNode? Part(string kind, byte[] bytes) => kind switch
    {
        "ratchet_tree" => WireGrammar.Tree(bytes),
        "group_secrets" => WireGrammar.Secrets(bytes),
        "commit" => WireGrammar.Commit(bytes),
        _ => null,
    };
}
