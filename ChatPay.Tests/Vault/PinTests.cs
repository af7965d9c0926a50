using System.Text;
using ChatPay.Core.Vault;
using ChatPay.Tests.Support;
using Xunit;

namespace ChatPay.Tests.Vault;

/// <summary>What is typed becomes one form, and what is guessed first is refused with the reason.</summary>
public sealed class PinTests
{
    [Theory]
    [InlineData("480213", "480213")]
    [InlineData(" 480 213 ", "480213")]
    [InlineData("48-02-13", "480213")]
    [InlineData("４８０２１３", "480213")]
    [InlineData("٤٨٠٢١٣", "480213")]
    [InlineData("۴۸۰۲۱۳", "480213")]
    [InlineData("४८०२१३", "480213")]
    [InlineData("0000", "0000")]
    [InlineData("123456789012", "123456789012")]
    public void Digits_are_read_as_the_ones_that_they_mean(string typed, string digits)
    {
        using var pin = TestVault.PinOf(typed);
        Assert.False(pin.IsPassphrase);
        Assert.Equal((byte[])[1, .. Encoding.ASCII.GetBytes(digits)], pin.Bytes);
    }

    [Theory]
    [InlineData("  correct horse battery ", "correct horse battery")]
    [InlineData("cafe\u0301 du marche\u0301", "café du marché")]
    [InlineData("1234567890123", "1234567890123")]
    public void A_passphrase_is_read_in_normal_form_without_the_spaces_around_it(string typed, string text)
    {
        using var pin = TestVault.PinOf(typed);
        Assert.True(pin.IsPassphrase);
        Assert.Equal((byte[])[2, .. Encoding.UTF8.GetBytes(text)], pin.Bytes);
    }

    [Theory]
    [InlineData(null, PinRefusal.Empty)]
    [InlineData(" \t ", PinRefusal.Empty)]
    [InlineData("123", PinRefusal.TooShort)]
    [InlineData("12a4", PinRefusal.PassphraseTooShort)]
    [InlineData("--", PinRefusal.PassphraseTooShort)]
    public void What_can_be_no_PIN_is_refused(string? typed, PinRefusal expected)
    {
        Assert.False(Pin.TryRead(typed, out _, out var refusal));
        Assert.Equal(expected, refusal);
    }

    [Fact]
    public void What_is_too_long_is_refused()
    {
        Assert.False(Pin.TryRead(new string('a', 129), out _, out var refusal));
        Assert.Equal(PinRefusal.PassphraseTooLong, refusal);
        Assert.False(Pin.TryRead(new string('7', VaultLimits.PinTextMaxChars + 1), out _, out refusal));
        Assert.Equal(PinRefusal.TooLong, refusal);
    }

    [Theory]
    [InlineData("0000", PinRefusal.Repeated)]
    [InlineData("1212", PinRefusal.Repeated)]
    [InlineData("583583", PinRefusal.Repeated)]
    [InlineData("47474", PinRefusal.Repeated)]
    [InlineData("474447", PinRefusal.Repeated)]
    [InlineData("1234", PinRefusal.Sequential)]
    [InlineData("4321", PinRefusal.Sequential)]
    [InlineData("890123", PinRefusal.Sequential)]
    [InlineData("2468", PinRefusal.Sequential)]
    [InlineData("987654321", PinRefusal.Sequential)]
    [InlineData("123456789012", PinRefusal.Sequential)]
    [InlineData("1987", PinRefusal.BirthdayLike)]
    [InlineData("2019", PinRefusal.BirthdayLike)]
    [InlineData("2702", PinRefusal.BirthdayLike)]
    [InlineData("0227", PinRefusal.BirthdayLike)]
    [InlineData("270287", PinRefusal.BirthdayLike)]
    [InlineData("022787", PinRefusal.BirthdayLike)]
    [InlineData("870227", PinRefusal.BirthdayLike)]
    [InlineData("021987", PinRefusal.BirthdayLike)]
    [InlineData("198702", PinRefusal.BirthdayLike)]
    [InlineData("27021987", PinRefusal.BirthdayLike)]
    [InlineData("02271987", PinRefusal.BirthdayLike)]
    [InlineData("19870227", PinRefusal.BirthdayLike)]
    [InlineData("2580", PinRefusal.Common)]
    [InlineData("6969", PinRefusal.Common)]
    [InlineData("1004", PinRefusal.Common)]
    [InlineData("112233", PinRefusal.Common)]
    [InlineData("147258", PinRefusal.Common)]
    [InlineData("8035", PinRefusal.None)]
    [InlineData("480279", PinRefusal.None)]
    [InlineData("310279", PinRefusal.None)]
    [InlineData("48021379", PinRefusal.None)]
    [InlineData("passwordpassword", PinRefusal.PassphraseCommon)]
    [InlineData("crocus ladder ninety pebble", PinRefusal.None)]
    public void What_people_choose_first_is_refused_with_the_reason(string typed, PinRefusal expected)
    {
        using var pin = TestVault.PinOf(typed);
        Assert.Equal(expected, PinPolicy.Check(pin, "anna"));
    }

    [Fact]
    public void The_policy_leaves_most_PINs_to_choose_from()
    {
        var refused = Enumerable.Range(0, 10_000).Count(number => IsRefused($"{number:D4}"));
        Assert.InRange(refused, 700, 1500);
        var refusedOfSix = Enumerable.Range(0, 1_000_000).Where(number => number % 37 == 0)
            .Count(number => IsRefused($"{number:D6}"));
        Assert.InRange(refusedOfSix, 1_000_000 / 37 / 50, 1_000_000 / 37 / 6);
    }

    private static bool IsRefused(string digits)
    {
        using var pin = TestVault.PinOf(digits);
        return PinPolicy.Check(pin, "anna") != PinRefusal.None;
    }
}
