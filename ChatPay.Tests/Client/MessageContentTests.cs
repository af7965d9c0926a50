using System.Text;
using System.Text.Json;
using ChatPay.Client.Internal;
using ChatPay.Core.Protocol;
using ChatPay.Tests.Support;
using Xunit;

namespace ChatPay.Tests.Client;

/// <summary>What stands in application messages, the same for the SDK as for the web client.</summary>
public sealed class MessageContentTests
{
    /// <summary>The examples that the web client's tests read too.</summary>
    [Fact]
    public void The_shared_examples_are_read_as_they_say()
    {
        using var examples = JsonDocument.Parse(
            File.ReadAllBytes(Repository.PathOf("ChatPay.Tests/Fixtures/message-content.json")));
        var contents = examples.RootElement.GetProperty("contents").EnumerateArray().ToArray();
        Assert.NotEmpty(contents);
        foreach (var example in contents)
        {
            var read = MessageContent.Parse(Encoding.UTF8.GetBytes(example.GetProperty("plaintext").GetString()!));
            var (type, text) = Describe(read);
            Assert.Equal(
                (example.GetProperty("name").GetString(), example.GetProperty("type").GetString()),
                (example.GetProperty("name").GetString(), type));
            Assert.Equal(example.TryGetProperty("text", out var expected) ? expected.GetString() : null, text);
            if (read is MessageContent.CardDetails card)
            {
                Assert.Equal(example.GetProperty("card").GetGuid(), card.Card.Value);
                Assert.Equal(Enumerable.Range(0, 32).Select(i => (byte)i), card.Salt);
            }
        }
    }

    [Fact]
    public void What_is_written_is_read()
    {
        MessageContent[] contents =
        [
            new MessageContent.Text("héllo ☕ \"you\" <b> 😀\n"),
            new MessageContent.Text(new string('x', Limits.TextMaxChars)),
            new MessageContent.GroupName("Lunch"),
        ];
        Assert.All(contents, content => Assert.Equal(content, MessageContent.Parse(content.Encode())));

        var card = new MessageContent.CardDetails(
            new(new Guid("01890a5d-ac96-7b8a-b1d0-6d5a4e0f9a11")), new byte[32], "pizza");
        var read = Assert.IsType<MessageContent.CardDetails>(MessageContent.Parse(card.Encode()));
        Assert.Equal((card.Card, card.Memo), (read.Card, read.Memo));
        Assert.Equal(card.Salt, read.Salt);
        Assert.Throws<InvalidOperationException>(() => new MessageContent.Newer().Encode());
    }

    [Fact]
    public void Nothing_beyond_the_bounds_gets_through()
    {
        string[] plaintexts =
        [
            $$"""{"v":1,"type":"text","text":"{{new string('x', Limits.TextMaxChars + 1)}}"}""",
            $$"""{"v":1,"type":"group","name":"{{new string('x', Limits.GroupNameMaxChars + 1)}}"}""",
            """{"v":1,"type":"text","text":"half of a pair: \ud800"}""",
            new('[', 10_000),
        ];
        Assert.All(plaintexts, plaintext =>
            Assert.IsType<MessageContent.Malformed>(MessageContent.Parse(Encoding.UTF8.GetBytes(plaintext))));
        Assert.IsType<MessageContent.Malformed>(MessageContent.Parse(new byte[] { 0xff, 0xfe }));
    }

    private static (string Type, string? Text) Describe(MessageContent content) => content switch
    {
        MessageContent.Text text => ("text", text.Value),
        MessageContent.GroupName name => ("group", name.Value),
        MessageContent.CardDetails card => ("card", card.Memo),
        MessageContent.Newer => ("unknown", null),
        _ => ("malformed", null),
    };
}
