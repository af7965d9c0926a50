namespace ChatPay.LoadTest.Serving;

/// <summary>What the server under test is told besides where its database is.</summary>
internal static class ServerSettings
{
    /// <summary>
    /// Production, but for the limits on one caller: a few hundred connections make the load of many thousands of people.
    /// </summary>
    public static IReadOnlyDictionary<string, string> Defaults { get; } =
        new Dictionary<string, string>(StringComparer.Ordinal)
        {
            ["Realtime:WritesPerSecond"] = "10000",
            ["Realtime:WriteBurst"] = "100000",
            ["Realtime:ReadsPerSecond"] = "10000",
            ["Realtime:ReadBurst"] = "100000",
            ["RateLimits:ReadsPerMinute"] = "1000000",
        };

    /// <param name="given">As KEY=VALUE; these win.</param>
    public static IReadOnlyDictionary<string, string> With(IEnumerable<string> given)
    {
        var settings = new Dictionary<string, string>(Defaults, StringComparer.Ordinal);
        foreach (var pair in given)
        {
            var parts = pair.Split('=', 2);
            settings[parts[0]] = parts[1];
        }

        return settings;
    }
}
