using System.Text;
using ChatPay.Core.Ledger;
using ChatPay.Core.Protocol;
using ChatPay.Server.Ledger;
using FsCheck;
using FsCheck.Fluent;

namespace ChatPay.Tests.Ledger;

/// <summary>A statement that nobody would think of: any names, any amounts, debts, empty ones, up to nine decimals.</summary>
internal sealed record GeneratedStatement(StatementHead Head, IReadOnlyList<StatementEntry> Entries)
{
    private static readonly DateTimeOffset s_start = new(2024, 2, 28, 23, 59, 59, TimeSpan.Zero);

    private static readonly string[] s_kinds =
        ["funding", "transfer", "hold", "capture", "release", "expire", "refund", "a kind to come"];

    /// <summary>What files stumble over: markup, quotes, line ends, what XML cannot carry, and long characters.</summary>
    private static readonly string[] s_pieces =
    [
        "<", ">", "&", "\"", "'", "]]>", "&amp;", ",", ";", "=", "+", "-", "@", "\t", "\r", "\n", "\r\n", "\0", "\u0001",
        "\u001b", "\u0085", "\u2028", "\u202e", "\ufeff", "\ufffe", "\uffff", "\ud83d\udc69\u200d\ud83d\udc67",
        "e\u0301\u0302\u0303", "\ud834\udd1e", " ", "  ", "\u00a0", "Zo\u00eb", "\u5b57", "\u05d0", "x", "=1+1", "\uff1d",
    ];

    private static readonly Gen<string> s_names =
        from pieces in Gen.OneOf(
            Gen.Elements(s_pieces),
            Gen.Choose(1, 0x10ffff).Select(value => Rune.IsValid(value) ? new Rune(value).ToString() : "?"))
            .ArrayOf()
        select string.Concat(pieces.Take(64));

    private static readonly Gen<AccountView> s_people =
        from name in s_names
        from handle in Gen.Choose(0, 999_999)
        select new AccountView(new AccountId(IdOf(handle)), $"person{handle}", name);

    private static readonly Gen<long> s_amounts = Gen.OneOf(
        Gen.Choose(-1_000, 1_000).Select(value => (long)value),
        Gen.Elements(-Limits.AmountMaxMinor, Limits.AmountMaxMinor, 1, -1, 0, 99, -100));

    private static readonly Gen<StatementEntry> s_entries =
        from kind in Gen.Elements(s_kinds)
        from posted in s_amounts
        from held in s_amounts
        from other in s_people
        from alone in Gen.Choose(0, 3)
        from micros in Gen.Choose(0, 2_000_000)
        from id in Gen.Choose(0, int.MaxValue - 1)
        select new StatementEntry(
            0, IdOf(id), kind, posted, held, 0, 0, alone == 0 ? null : other,
            alone == 1 ? new CardId(IdOf(id)) : null, alone == 1 ? new ConversationId(IdOf(id)) : null,
            s_start.AddMicroseconds(micros));

    /// <param name="code">A currency or something else.</param>
    public static Gen<GeneratedStatement> Of(string code, int exponentMax) =>
        from owner in s_people
        from exponent in Gen.Choose(0, exponentMax)
        from opening in s_amounts
        from held in s_amounts
        from version in Gen.Choose(0, 1_000_000)
        from bounded in Gen.Elements(true, false)
        from drafts in s_entries.ArrayOf()
        select Make(
            owner, new Asset(AssetCode.Parse(code), exponent, AssetKind.Currency),
            new BalancePoint(version, opening, Math.Abs(held)), bounded, drafts);

    private static GeneratedStatement Make(
        AccountView owner, Asset asset, BalancePoint opening, bool bounded, StatementEntry[] drafts)
    {
        var (entries, at) = (new List<StatementEntry>(), opening);
        foreach (var (index, draft) in drafts.OrderBy(draft => draft.At).Index())
        {
            at = new BalancePoint(at.Version + 1, at.BalanceMinor + draft.PostedMinor, at.HeldMinor + draft.HeldMinor);
            entries.Add(draft with
            {
                Version = at.Version,
                Transfer = IdOf(index),
                BalanceAfterMinor = at.BalanceMinor,
                HeldAfterMinor = at.HeldMinor,
            });
        }

        var totals = new StatementTotals(
            entries.Count > 0 ? entries[0].At : null,
            entries.Count(entry => entry.PostedMinor > 0),
            entries.Where(entry => entry.PostedMinor > 0).Sum(entry => entry.PostedMinor),
            entries.Count(entry => entry.PostedMinor < 0),
            -entries.Where(entry => entry.PostedMinor < 0).Sum(entry => entry.PostedMinor));
        return new GeneratedStatement(
            new StatementHead(
                owner, LedgerAccountId.Of(owner.Id, asset.Code), asset, bounded ? s_start : null,
                s_start.AddSeconds(3), opening, at, totals, s_start.AddSeconds(4).AddMicroseconds(5)),
            entries);
    }

    private static Guid IdOf(int number) => new(number, 0, unchecked((short)0x8000), 0x80, 0, 0, 0, 0, 0, 0, 1);
}
