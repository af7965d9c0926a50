using ChatPay.Core.Accounts;
using ChatPay.Core.Cryptography;
using ChatPay.Core.Protocol;
using Xunit;

namespace ChatPay.Tests.Accounts;

public sealed class PasswordRuleTests
{
    private static readonly Argon2Parameters Light = new(1, 64, 1);
    private static readonly byte[] Salt = [.. Enumerable.Range(1, Argon2id.SaltSize).Select(number => (byte)number)];

    [Theory]
    [InlineData(null)]
    [InlineData("")]
    [InlineData("ninechars")]
    public void A_short_password_is_refused(string? password) =>
        Assert.Equal(ErrorCode.PasswordLength, PasswordRules.Check(password, "ana").Error?.Code);

    [Fact]
    public void Length_counts_characters_not_bytes()
    {
        var longest = string.Concat(Enumerable.Repeat("🦊a7~é", 26))[..^1];
        Assert.Equal(ErrorCode.PasswordLength, PasswordRules.Check(longest, "ana").Error?.Code);
        Assert.Null(PasswordRules.Normalize("🦊🦉🦦🦔"));
        Assert.NotNull(PasswordRules.Normalize("🦊🦉🦦🦔🦊🦉🦦🦔🦊🦉"));
        Assert.NotNull(PasswordRules.Normalize(new string('x', 128)));
        Assert.Null(PasswordRules.Normalize(new string('x', 129)));
        Assert.Null(PasswordRules.Normalize(new string('x', 5_000_000)));
    }

    [Theory]
    [InlineData("password123")]
    [InlineData("Password1234!")]
    [InlineData("P@ssw0rd2024!")]
    [InlineData("p4ssw0rdp4ssw0rd")]
    [InlineData("password123456789")]
    [InlineData("iloveyou2024")]
    [InlineData("iloveyou123456")]
    [InlineData("welcome2025!!")]
    [InlineData("Sunshine1234")]
    [InlineData("liverpool1892")]
    [InlineData("michaeljordan23")]
    [InlineData("qwertyuiop")]
    [InlineData("Qwertyuiop1")]
    [InlineData("azertyuiop123")]
    [InlineData("qwerty123456")]
    [InlineData("1234567890")]
    [InlineData("0987654321")]
    [InlineData("1qaz2wsx3edc")]
    [InlineData("zaq12wsxcde3")]
    [InlineData("asdfghjkl;'")]
    [InlineData("aaaaaaaaaaaa")]
    [InlineData("abababababab")]
    [InlineData("abcdefghij")]
    [InlineData("xk7xk7xk7xk7")]
    [InlineData("jetaime2024!")]
    [InlineData("chatpaychatpay")]
    [InlineData("letmein12345")]
    [InlineData("footballfootball")]
    public void What_a_guesser_tries_first_is_refused(string password) =>
        Assert.Equal(ErrorCode.PasswordCommon, PasswordRules.Check(password, "zoe_9").Error?.Code);

    [Theory]
    [InlineData("marguerite1", "marguerite")]
    [InlineData("xx-Marguerite-xx", "marguerite")]
    [InlineData("mar_guerite99", "marguerite")]
    [InlineData("marguerite99", "mar_guerite")]
    [InlineData("bob1234567", "bob")]
    public void A_password_made_of_the_handle_is_refused(string password, string handle) =>
        Assert.Equal(ErrorCode.PasswordCommon, PasswordRules.Check(password, handle).Error?.Code);

    [Theory]
    [InlineData("correct horse battery staple")]
    [InlineData("walrus-teapot-94")]
    [InlineData("k8#vTz!2qLw0")]
    [InlineData("une loutre sous la pluie")]
    [InlineData("пароль для лодки")]
    [InlineData("kb82xd47vf19")]
    public void Others_are_accepted(string password) => Assert.True(PasswordRules.Check(password, "bob").IsOk);

    [Fact]
    public void The_same_text_from_two_keyboards_is_the_same_password()
    {
        var composed = PasswordRules.Check("crème brûlée à midi", "bob").Value;
        var decomposed = PasswordRules.Check("cre\u0300me bru\u0302le\u0301e a\u0300 midi", "bob").Value;

        Assert.Equal(composed, decomposed);
        Assert.True(PasswordHash.Verify(decomposed, PasswordHash.Create(composed, Light, Salt)));
    }

    [Theory]
    [InlineData("e\u0301", "é")]
    [InlineData("\u212B", "Å")]
    [InlineData("a\u0323\u0302", "ậ")]
    [InlineData("a\u0302\u0323", "ậ")]
    [InlineData("\u1112\u1161\u11AB", "한")]
    [InlineData("\uD55C\u1100", "한\u1100")]
    [InlineData("\u0915\u093C", "\u0915\u093C")]
    [InlineData("\u0958", "\u0915\u093C")]
    [InlineData("\u0344", "\u0308\u0301")]
    [InlineData("a\u0315\u0300\u05AE\u0062", "\u00E0\u05AE\u0315\u0062")]
    [InlineData("\U0001D15E", "\U0001D157\U0001D165")]
    [InlineData("\u0301a", "\u0301a")]
    public void Normal_form_c_is_the_standards(string text, string expected)
    {
        Assert.Equal(expected, NormalFormC.Of(text));
        Assert.Equal(expected, NormalFormC.Of(NormalFormC.Of(text)));
    }

    [Fact]
    public void A_hash_verifies_its_password_and_no_other()
    {
        var hash = PasswordHash.Create("walrus-teapot-94", Light, Salt);

        Assert.StartsWith("$argon2id$v=19$m=64,t=1,p=1$AQIDBAUGBwgJCgsMDQ4PEA$", hash, StringComparison.Ordinal);
        Assert.True(PasswordHash.Verify("walrus-teapot-94", hash));
        Assert.False(PasswordHash.Verify("walrus-teapot-95", hash));
        Assert.False(PasswordHash.Verify("walrus-teapot-94", hash.Replace("m=64", "m=65", StringComparison.Ordinal)));
    }

    [Fact]
    public void A_hash_that_libsodium_itself_wrote_verifies()
    {
        // Made with crypto_pwhash_str_alg, so its text form and its salt are libsodium's own.
        const string Foreign = "$argon2id$v=19$m=19456,t=2,p=1$o4YcWxNeGk9iKS4OB3RnLw"
            + "$TWFOYQddsUjdl580v0c7LWWXr4ey9mlD7v0tqK5rHgM";

        Assert.True(PasswordHash.Verify("walrus-teapot-94", Foreign));
        Assert.False(PasswordHash.NeedsRehash(Foreign, new Argon2Parameters(1, 19456, 2)));
    }

    [Theory]
    [InlineData("")]
    [InlineData("$argon2id$")]
    [InlineData("$argon2id$v=19$m=999999999,t=1,p=1$AQIDBAUGBwgJCgsMDQ4PEA$AQIDBAUGBwgJCgsMDQ4PEA")]
    [InlineData("$argon2i$v=19$m=64,t=1,p=1$AQIDBAUGBwgJCgsMDQ4PEA$AQIDBAUGBwgJCgsMDQ4PEAAQIDBAUGBwgJCgsMDQ4PEA")]
    public void A_damaged_hash_verifies_nothing(string hash) => Assert.False(PasswordHash.Verify("walrus-teapot-94", hash));

    [Fact]
    public void A_hash_with_other_parameters_is_due_again()
    {
        var hash = PasswordHash.Create("walrus-teapot-94", Light, Salt);

        Assert.False(PasswordHash.NeedsRehash(hash, Light));
        Assert.True(PasswordHash.NeedsRehash(hash, new Argon2Parameters(1, 128, 1)));
        Assert.True(PasswordHash.NeedsRehash(hash, new Argon2Parameters(1, 64, 2)));
    }
}
