using System.Text.Json;
using ChatPay.Server.Hosting;
using ChatPay.Tests.Support;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;
using Xunit;

namespace ChatPay.Tests.Hosting;

/// <summary>Every key of the configuration is documented in appsettings.example.json, and nothing else is.</summary>
public sealed class OptionsTests
{
    /// <summary>What .NET itself reads.</summary>
    private static readonly string[] s_known = ["urls", "AllowedHosts", "Logging"];

    private static readonly string s_file = Repository.PathOf("appsettings.example.json");

    [Fact]
    public void The_example_has_a_section_for_every_options_class_and_no_other()
    {
        using var example = Parse();
        Assert.Equal(
            s_known.Concat(Sections().Select(section => section.Name)).Order(StringComparer.Ordinal),
            example.RootElement.EnumerateObject().Select(member => member.Name).Order(StringComparer.Ordinal));
    }

    [Fact]
    public void The_example_holds_every_key_with_its_default()
    {
        using var example = Parse();
        var configuration = new ConfigurationBuilder().AddJsonFile(s_file).Build();
        foreach (var section in Sections())
        {
            var keys = example.RootElement.GetProperty(section.Name).EnumerateObject().Select(member => member.Name);
            Assert.Equal(
                Keys(section.Type).Order(StringComparer.Ordinal), keys.Order(StringComparer.Ordinal));
            var defaults = Activator.CreateInstance(section.Type, nonPublic: true)!;
            var bound = Activator.CreateInstance(section.Type, nonPublic: true)!;
            configuration.GetSection(section.Name).Bind(bound, binder => binder.ErrorOnUnknownConfiguration = true);
            Assert.Equal(Describe(defaults), Describe(bound));
        }
    }

    [Fact]
    public void Every_key_of_the_example_is_explained_above_it()
    {
        var lines = File.ReadAllLines(s_file);
        var end = Array.FindIndex(lines, line => line.Contains("\"Logging\"", StringComparison.Ordinal));
        for (var index = 0; index < end; index++)
        {
            var line = lines[index];
            if (line.TrimStart().StartsWith('"') && line.StartsWith("    ", StringComparison.Ordinal))
            {
                Assert.True(lines[index - 1].TrimStart().StartsWith("//", StringComparison.Ordinal), line);
            }
        }
    }

    [Theory]
    [InlineData("Hosting:Prot", "1")]
    [InlineData("Database:MaxPoolSize", "1")]
    [InlineData("Database:MaxPoolSize", "many")]
    public void An_unknown_key_or_a_value_out_of_bounds_stops_the_start(string key, string value)
    {
        var settings = new Dictionary<string, string?>(StringComparer.Ordinal)
        {
            [key] = value,
            ["Database:ConnectionString"] = "Host=127.0.0.1",
        };
        var failure = Record.Exception(() =>
        {
            var app = ServerHost.Build(ServerHost.CreateBuilder(settings));
            app.Services.GetRequiredService<IStartupValidator>().Validate();
        });
        Assert.True(failure is OptionsValidationException or InvalidOperationException, failure?.ToString());
    }

    private static List<OptionsSection> Sections() =>
    [
        .. ServerHost.CreateBuilder([]).Services
            .Where(service => service.ServiceType == typeof(OptionsSection))
            .Select(service => (OptionsSection)service.ImplementationInstance!),
    ];

    private static IEnumerable<string> Keys(Type type) => type.GetProperties()
        .Where(property => property.CanWrite || IsCollection(property.PropertyType))
        .Select(property => property.Name);

    /// <summary>Lists apart: what an empty list stands for, the example spells out.</summary>
    private static string Describe(object options) => JsonSerializer.Serialize(options.GetType().GetProperties()
        .Where(property => !IsCollection(property.PropertyType))
        .ToDictionary(property => property.Name, property => property.GetValue(options)));

    private static bool IsCollection(Type type) =>
        type != typeof(string) && typeof(System.Collections.IEnumerable).IsAssignableFrom(type);

    private static JsonDocument Parse() => JsonDocument.Parse(
        File.ReadAllText(s_file), new JsonDocumentOptions { CommentHandling = JsonCommentHandling.Skip });
}
