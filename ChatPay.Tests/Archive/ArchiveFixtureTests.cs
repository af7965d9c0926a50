using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using ChatPay.Core.Archive;
using ChatPay.Core.Protocol;
using ChatPay.Tests.Support;
using Xunit;

namespace ChatPay.Tests.Archive;

/// <summary>
/// Chunks of an archive with fixed randomness, byte by byte, in <c>Fixtures/archive.json</c>, which the web client's tests read
/// too. Where the encodings change on purpose the failing test prints the new file.
/// </summary>
public sealed class ArchiveFixtureTests
{
    private const string Note =
        "Values of docs/ARCHIVE.md, bytes in hex; read by the .NET tests and by those of other clients. A stream of randomness "
        + "is SHA-512 of its name in UTF-8 and a number in four bytes, from 0 on, one after the other. 'refused' must not open "
        + "in the place that it names, 'padding' is JSON bytes and padded bytes. In 'json', 'items' are the ids that are "
        + "read; null where it is no chunk at all.";

    private static readonly JsonSerializerOptions s_indented = new() { WriteIndented = true };

    [Fact]
    public void Every_byte_is_that_of_the_shared_fixture()
    {
        var file = Repository.PathOf("ChatPay.Tests/Fixtures/archive.json");
        var made = ArchiveScene.Build(Note).ToJsonString(s_indented) + "\n";
        Assert.True(File.Exists(file) && File.ReadAllText(file) == made, made);
    }

    [Fact]
    public void What_the_fixture_seals_opens_in_its_place_and_nothing_else_does()
    {
        var fixture = JsonNode.Parse(File.ReadAllText(Repository.PathOf("ChatPay.Tests/Fixtures/archive.json")))!;
        using var cipher = ArchiveScene.Cipher();
        Assert.Equal(cipher.Id.ToString(), (string?)fixture["archive"]);
        foreach (var stream in fixture["streams"]!.AsArray())
        {
            var device = DeviceOf(stream!);
            var previous = new byte[ArchiveCipher.DigestSize];
            var number = 0;
            foreach (var chunk in stream!["chunks"]!.AsArray())
            {
                var bytes = Bytes(chunk!["sealed"]);
                Assert.Equal(Bytes(chunk["previous"]), previous);
                Assert.True(cipher.TryOpen(device, number, previous, bytes, out var json));
                Assert.Equal((string?)chunk["json"], Encoding.UTF8.GetString(json));
                Assert.True(ArchiveJson.TryDecode(json, out var content));
                Assert.Equal(Ids(chunk["items"]!), content.Items.Select(item => item.Id.ToString()));
                previous = ArchiveCipher.DigestOf(bytes);
                number++;
            }
        }

        foreach (var refused in fixture["refused"]!.AsArray())
        {
            Assert.False(
                cipher.TryOpen(
                    DeviceOf(refused!), (long)refused!["number"]!, Bytes(refused["previous"]), Bytes(refused["sealed"]), out _),
                (string?)refused["why"]);
        }
    }

    [Fact]
    public void What_is_read_of_json_is_what_the_fixture_says()
    {
        var fixture = JsonNode.Parse(File.ReadAllText(Repository.PathOf("ChatPay.Tests/Fixtures/archive.json")))!;
        foreach (var one in fixture["json"]!.AsArray())
        {
            var isOne = ArchiveJson.TryDecode(Encoding.UTF8.GetBytes((string)one!["json"]!), out var content);
            Assert.True(isOne == one["items"] is not null, (string?)one["why"]);
            Assert.Equal(one["items"] is { } ids ? Ids(ids) : [], content?.Items.Select(item => item.Id.ToString()) ?? []);
        }
    }

    [Fact]
    public void Any_flipped_bit_fails()
    {
        using var cipher = ArchiveScene.Cipher();
        var previous = new byte[ArchiveCipher.DigestSize];
        var chunk = cipher.Seal(ArchiveScene.One, 0, previous, "{}"u8, TestVault.Stream("bits"));
        for (var at = 0; at < chunk.Length; at++)
        {
            chunk[at] ^= 1;
            Assert.False(cipher.TryOpen(ArchiveScene.One, 0, previous, chunk, out _));
            chunk[at] ^= 1;
        }

        Assert.True(cipher.TryOpen(ArchiveScene.One, 0, previous, chunk, out _));
    }

    [Fact]
    public void The_longest_text_fits_into_a_chunk_however_it_is_written()
    {
        foreach (var unit in new[] { "\u0001", "\"", "ש", "😀" })
        {
            var text = string.Concat(Enumerable.Repeat(unit, Limits.TextMaxChars / unit.Length));
            var item = ArchiveScene.Item("longest", new ArchivedContent.Text(text));
            var person = new AccountView(
                item.Account, new string('a', Limits.HandleMaxChars), string.Concat(Enumerable.Repeat("😀", 64)));
            var json = ArchiveJson.Encode(new ArchiveContent([person], [item]));
            Assert.InRange(json.Length, Limits.TextMaxChars, Limits.ArchiveJsonBytes);
            Assert.True(ArchiveJson.TryDecode(json, out var content));
            Assert.Equal(item, Assert.Single(content.Items));
            Assert.Equal(person, Assert.Single(content.People));
        }
    }

    private static DeviceId DeviceOf(JsonNode node) => new(Guid.Parse((string)node["device"]!));

    private static byte[] Bytes(JsonNode? node) => Convert.FromHexString((string)node!);

    private static IEnumerable<string> Ids(JsonNode node) => node.AsArray().Select(id => (string)id!);
}
