using System.Globalization;
using System.Text.Json;
using ChatPay.Core.Cards;
using ChatPay.Core.Ledger;
using ChatPay.Core.Protocol;
using FsCheck;
using FsCheck.Fluent;
using Xunit;

namespace ChatPay.Tests.Cards;

public sealed class CardTermsTests
{
    private const string Memo = "Für Kaffee ☕";

    private static readonly JsonSerializerOptions s_json = ProtocolJson.Create();

    private static readonly byte[] s_salt = [.. Enumerable.Range(0, 32).Select(value => (byte)value)];

    private static readonly CardTerms s_terms = new(
        CardKind.Transfer, new CardId(Number(1)), new ConversationId(Number(2)), new AccountId(Number(3)),
        new AccountId(Number(4)), Money.Of(1234, AssetCode.Parse("EUR")), 86_400);

    /// <summary>The example of docs/PROTOCOL.md, computed by another program.</summary>
    [Fact]
    public void The_encoding_and_commitment_are_those_of_the_published_example()
    {
        Assert.Equal(
            "01010190a0000000700080000000000000010190a0000000700080000000000000020190a000000070008000000000000003"
            + "0190a00000007000800000000000000400000000000004d20001518003455552",
            Convert.ToHexStringLower(s_terms.Encode()));
        Assert.Equal(
            "470efc0193d3d4a1490fcb0f2cdeff92618880af4d4f363762487325b53fc4a2",
            Convert.ToHexStringLower(DetailCommitment.Of(s_terms, s_salt, Memo)));
    }

    /// <summary>The examples that the web client's tests read too.</summary>
    [Fact]
    public void The_encodings_are_those_of_the_shared_examples()
    {
        var file = Path.Combine(Repository(), "ChatPay.Tests", "Fixtures", "card-terms.json");
        using var examples = JsonDocument.Parse(File.ReadAllBytes(file));
        var cards = examples.RootElement.GetProperty("cards").EnumerateArray().ToArray();
        var forms = new HashSet<CardForm>();
        foreach (var card in cards)
        {
            var json = card.GetProperty("terms");
            var terms = new CardTerms(
                Enum.Parse<CardKind>(json.GetProperty("kind").GetString()!, ignoreCase: true),
                new CardId(json.GetProperty("card").GetGuid()),
                new ConversationId(json.GetProperty("conversation").GetGuid()),
                new AccountId(json.GetProperty("payer").GetGuid()),
                new AccountId(json.GetProperty("payee").GetGuid()),
                Money.Of(
                    long.Parse(json.GetProperty("amountMinor").GetString()!, CultureInfo.InvariantCulture),
                    AssetCode.Parse(json.GetProperty("asset").GetString()!)),
                json.GetProperty("lifetimeSeconds").GetInt32(),
                json.TryGetProperty("plan", out var plan) ? plan.Deserialize<CardPlan>(s_json) : null);
            forms.Add(terms.Form);
            Assert.Null(CardPlans.Check(terms));
            var salt = Convert.FromHexString(card.GetProperty("salt").GetString()!);
            Assert.Equal(card.GetProperty("encodedTerms").GetString(), Convert.ToHexStringLower(terms.Encode()));
            Assert.Equal(
                card.GetProperty("detailCommit").GetString(),
                Convert.ToHexStringLower(DetailCommitment.Of(terms, salt, card.GetProperty("memo").GetString()!)));
        }

        Assert.Equal(Enum.GetValues<CardForm>().Except([CardForm.None]), forms.Order());
    }

    [Fact]
    public void Every_part_of_the_terms_and_details_changes_the_commitment()
    {
        CardTerms[] altered =
        [
            s_terms with { Kind = CardKind.Request },
            s_terms with { Card = new CardId(Number(9)) },
            s_terms with { Conversation = new ConversationId(Number(9)) },
            s_terms with { Payer = new AccountId(Number(9)) },
            s_terms with { Payee = new AccountId(Number(9)) },
            s_terms with { Money = Money.Of(1235, AssetCode.Parse("EUR")) },
            s_terms with { Money = Money.Of(1234, AssetCode.Parse("JPY")) },
            s_terms with { LifetimeSeconds = 86_401 },
            s_terms with { Plan = new(CardDelivery.AtOnce) },
            s_terms with { Plan = new(CardDelivery.Delayed) },
        ];
        var commit = DetailCommitment.Of(s_terms, s_salt, Memo);
        Assert.All(altered, terms => Assert.False(DetailCommitment.Matches(commit, terms, s_salt, Memo)));
        Assert.False(DetailCommitment.Matches(commit, s_terms, s_salt, Memo + " "));
        Assert.False(DetailCommitment.Matches(commit, s_terms, new byte[32], Memo));
        Assert.True(DetailCommitment.Matches(commit, s_terms, s_salt, Memo));
    }

    [Fact]
    public void Any_flipped_bit_of_the_commitment_fails() => Prop
        .ForAll(Gen.Choose(0, 255).ToArbitrary(), bit =>
        {
            var commit = DetailCommitment.Of(s_terms, s_salt, Memo);
            commit[bit / 8] ^= (byte)(1 << (bit % 8));
            return !DetailCommitment.Matches(commit, s_terms, s_salt, Memo);
        })
        .Check(Config.QuickThrowOnFailure);

    [Fact]
    public void Hostile_details_do_not_match_and_do_not_throw()
    {
        var commit = DetailCommitment.Of(s_terms, s_salt, Memo);
        Assert.False(DetailCommitment.Matches(commit, s_terms, s_salt, null));
        Assert.False(DetailCommitment.Matches(commit, s_terms, new byte[31], Memo));
        Assert.False(DetailCommitment.Matches([], s_terms, s_salt, Memo));
        Assert.False(DetailCommitment.Matches(commit, s_terms, s_salt, new string('x', Limits.CardMemoMaxChars + 1)));
    }

    private static Guid Number(int number) => Guid.Parse($"0190a000-0000-7000-8000-00000000000{number}");

    private static string Repository()
    {
        var folder = new DirectoryInfo(AppContext.BaseDirectory);
        while (!File.Exists(Path.Combine(folder.FullName, "ChatPay.sln")))
        {
            folder = folder.Parent ?? throw new InvalidOperationException("The tests run outside the repository.");
        }

        return folder.FullName;
    }
}
