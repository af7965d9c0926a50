using System.Text.RegularExpressions;
using ChatPay.Tests.Support;
using Xunit;

namespace ChatPay.Tests;

/// <summary>What the analyzers cannot see of the house style. Each test lists every place that breaks its rule.</summary>
public sealed partial class StyleTests
{
    /// <summary>The aim is 400; a file that cannot be split well may go this far.</summary>
    private const int FileMaxLines = 450;

    /// <summary>The aim is 120; a line may go this far, and a single word, such as a vector in hex, further.</summary>
    private const int LineMaxChars = 130;

    [Fact]
    public void No_file_is_too_long() => Repository.AssertNone(
        from source in Repository.Sources()
        let lines = source.Text.Count(c => c == '\n')
        where lines > FileMaxLines
        select $"{source.Path}: {lines} lines");

    [Fact]
    public void No_line_is_too_long() => Repository.AssertNone(
        from source in Repository.Sources()
        from line in source.Text.Split('\n').Index()
        where line.Item.Length > LineMaxChars && line.Item.Trim().Contains(' ', StringComparison.Ordinal)
        select $"{source.Path}:{line.Index + 1}: {line.Item.Length} columns");

    [Fact]
    public void There_are_no_regions_and_nothing_is_put_off() => Repository.AssertNone(
        from source in Repository.Sources()
        where !source.Path.EndsWith("/StyleTests.cs", StringComparison.Ordinal)
        from Match match in PutOff().Matches(source.Text)
        select $"{source.Path}: {match.Value}");

    [Fact]
    public void Sql_stands_only_in_stores_rows_and_the_database_folder() => Repository.AssertNone(
        from source in Repository.Sources("ChatPay.Server")
        where !source.Path.StartsWith("ChatPay.Server/Database/", StringComparison.Ordinal)
        let name = source.Path.Split('/')[^1].Split('.')[0]
        where !name.EndsWith("Store", StringComparison.Ordinal) && !name.EndsWith("Rows", StringComparison.Ordinal)
        from Match match in Sql().Matches(source.Text)
        select $"{source.Path}: {match.Value.Trim()}");

    [Fact]
    public void Sql_is_written_in_lower_case() => Repository.AssertNone(
        from source in Repository.Sources("ChatPay.Server")
        from Match match in ShoutedSql().Matches(source.Text)
        select $"{source.Path}: {match.Value.Trim()}");

    [Fact]
    public void Event_ids_of_the_log_are_unique() => Repository.AssertNone(
        from use in Repository.Sources("ChatPay.Server")
            .SelectMany(source => EventId().Matches(source.Text).Select(match => (source.Path, Id: match.Groups[1].Value)))
        group use.Path by use.Id into uses
        where uses.Count() > 1
        select $"{uses.Key}: {string.Join(", ", uses)}");

    [GeneratedRegex(@"#region|\b(TODO|FIXME|HACK|XXX)\b|NotImplementedException")]
    private static partial Regex PutOff();

    [GeneratedRegex("""("|\n\s*)(select\s+\S+.*\sfrom\s|select \d|insert into \w|update \w+( \w+)? set\s|delete from \w)""")]
    private static partial Regex Sql();

    [GeneratedRegex(@"(""|\n\s*)(SELECT|INSERT INTO|UPDATE|DELETE FROM|CREATE TABLE)\s")]
    private static partial Regex ShoutedSql();

    [GeneratedRegex(@"\[LoggerMessage\(\s*(?:EventId\s*=\s*)?(\d+)")]
    private static partial Regex EventId();
}
