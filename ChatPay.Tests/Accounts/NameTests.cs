using ChatPay.Core.Accounts;
using ChatPay.Core.Protocol;
using Xunit;

namespace ChatPay.Tests.Accounts;

public sealed class NameTests
{
    [Theory]
    [InlineData("Ana", "Ana")]
    [InlineData("  Ana Lovelace\u00A0 ", "Ana Lovelace")]
    [InlineData("Zoe\u0308", "Zoë")]
    [InlineData("محمد", "محمد")]
    [InlineData("👩‍👩‍👧", "👩‍👩‍👧")]
    [InlineData("❤\uFE0F", "❤\uFE0F")]
    [InlineData("🇫🇷", "🇫🇷")]
    public void A_name_is_kept_as_typed_without_the_space_around_it(string typed, string kept) =>
        Assert.Equal(kept, Names.DisplayName(typed).Value);

    [Theory]
    [InlineData(null)]
    [InlineData("")]
    [InlineData("   ")]
    [InlineData("Ana\nAdmin")]
    [InlineData("Ana\0")]
    [InlineData("Ana\u202Egro.yap")]
    [InlineData("\u2067Ana")]
    [InlineData("An\u200Ba")]
    [InlineData("An\u00ADa")]
    [InlineData("\u200D")]
    [InlineData("\u3164")]
    [InlineData("An\u2028a")]
    [InlineData("A\uFEFF")]
    [InlineData("A\u0301\u0301\u0301\u0301\u0301\u0301")]
    public void A_name_that_lies_about_itself_is_refused(string? typed)
    {
        Assert.Equal(ErrorCode.DisplayNameInvalid, Names.DisplayName(typed).Error?.Code);
        Assert.Equal(ErrorCode.DeviceNameInvalid, Names.DeviceName(typed).Error?.Code);
    }

    [Fact]
    public void Sixty_four_characters_are_the_most()
    {
        Assert.True(Names.DisplayName(string.Concat(Enumerable.Repeat("🦊", 64))).IsOk);
        Assert.Equal(
            ErrorCode.DisplayNameInvalid,
            Names.DisplayName(string.Concat(Enumerable.Repeat("🦊", 65))).Error?.Code);
        Assert.Equal(ErrorCode.DeviceNameInvalid, Names.DeviceName(new string('x', 1_000_000)).Error?.Code);
    }
}
