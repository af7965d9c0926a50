using ChatPay.Core.Ledger;
using ChatPay.Core.Protocol;
using Xunit;

namespace ChatPay.Tests.Ledger;

public sealed class MoneyTests
{
    [Theory]
    [InlineData(1234, 2, "12.34")]
    [InlineData(5, 2, "0.05")]
    [InlineData(-5, 2, "-0.05")]
    [InlineData(0, 2, "0.00")]
    [InlineData(500, 0, "500")]
    [InlineData(1, 3, "0.001")]
    [InlineData(-1_234_567, 3, "-1234.567")]
    [InlineData(long.MinValue, 2, "-92233720368547758.08")]
    [InlineData(long.MaxValue, 9, "9223372036.854775807")]
    public void Money_is_written_with_the_decimals_of_its_asset(long amountMinor, int exponent, string expected) =>
        Assert.Equal(expected, Money.Of(amountMinor, AssetCode.Parse("EUR")).ToDecimalText(exponent));

    [Theory]
    [InlineData("EUR", true)]
    [InlineData("X12", true)]
    [InlineData("TICKETS2026X", true)]
    [InlineData("TICKETS2026XX", false)]
    [InlineData("EU", false)]
    [InlineData("eur", false)]
    [InlineData("1EU", false)]
    [InlineData("EU€", false)]
    [InlineData("", false)]
    [InlineData(null, false)]
    public void An_asset_code_is_short_and_plain(string? text, bool valid) =>
        Assert.Equal(valid, AssetCode.TryParse(text, out _));

    [Theory]
    [InlineData(long.MaxValue, 1, false)]
    [InlineData(long.MaxValue, 0, true)]
    [InlineData(long.MinValue, -1, false)]
    [InlineData(long.MaxValue, long.MinValue, true)]
    [InlineData(-1, 1, true)]
    public void Sums_that_do_not_fit_are_told(long left, long right, bool fits) =>
        Assert.Equal(fits, new AmountMinor(left).TryAdd(new AmountMinor(right), out _));

    [Fact]
    public void Arithmetic_that_overflows_throws()
    {
        Assert.Throws<OverflowException>(() => new AmountMinor(long.MaxValue) + new AmountMinor(1));
        Assert.Throws<OverflowException>(() => new AmountMinor(long.MinValue) - new AmountMinor(1));
        Assert.Throws<OverflowException>(() => -new AmountMinor(long.MinValue));
    }

    [Fact]
    public void Amounts_of_different_assets_never_meet() => Assert.Throws<InvalidOperationException>(
        () => Money.Of(1, AssetCode.Parse("EUR")) + Money.Of(1, AssetCode.Parse("JPY")));

    [Fact]
    public void Ledger_account_ids_follow_from_owner_and_asset()
    {
        var owner = new AccountId(Guid.Parse("0190a000-0000-7000-8000-000000000001"));
        var euros = LedgerAccountId.Of(owner, AssetCode.Parse("EUR"));

        Assert.Equal(euros, LedgerAccountId.Of(owner, AssetCode.Parse("EUR")));
        Assert.NotEqual(euros, LedgerAccountId.Of(owner, AssetCode.Parse("JPY")));
        Assert.NotEqual(
            LedgerAccountId.OfSystem("sandbox", AssetCode.Parse("EUR")),
            LedgerAccountId.OfSystem("sandboxE", AssetCode.Parse("UR0")));
        Assert.Equal(8, euros.Value.Version);
        Assert.InRange(euros.Value.Variant, 8, 11);
    }
}
