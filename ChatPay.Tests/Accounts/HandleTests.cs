using ChatPay.Core.Accounts;
using ChatPay.Core.Protocol;
using Xunit;

namespace ChatPay.Tests.Accounts;

public sealed class HandleTests
{
    [Theory]
    [InlineData("ana")]
    [InlineData("a_b")]
    [InlineData("007")]
    [InlineData("_x_")]
    [InlineData("abcdefghijklmnopqrstuvwxyz012345")]
    public void Lower_case_letters_digits_and_underscores_make_a_handle(string handle) =>
        Assert.Null(Handles.CheckNew(handle));

    [Theory]
    [InlineData(null, "3 to 32")]
    [InlineData("", "3 to 32")]
    [InlineData("ab", "3 to 32")]
    [InlineData("abcdefghijklmnopqrstuvwxyz0123456", "3 to 32")]
    [InlineData("Ana", "upper-case")]
    [InlineData("anaÉ", "upper-case")]
    [InlineData("an-a", "a to z")]
    [InlineData("an a", "a to z")]
    [InlineData("@ana", "a to z")]
    [InlineData("аna", "a to z")]
    [InlineData("ana\n", "a to z")]
    [InlineData("ana\0", "a to z")]
    [InlineData("___", "letter or digit")]
    public void Anything_else_is_refused_with_the_reason(string? handle, string reason)
    {
        var error = Handles.CheckNew(handle);

        Assert.Equal(ErrorCode.HandleInvalid, error?.Code);
        Assert.Contains(reason, error!.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("admin")]
    [InlineData("adm1n")]
    [InlineData("a_d_m_i_n")]
    [InlineData("adrnin")]
    [InlineData("support")]
    [InlineData("5upport")]
    [InlineData("supp0rt")]
    [InlineData("suport")]
    [InlineData("support_team")]
    [InlineData("the_official_one")]
    [InlineData("chatpay_help")]
    [InlineData("mychatpay2")]
    [InlineData("system")]
    [InlineData("sandbox")]
    [InlineData("everyone")]
    public void Names_that_speak_for_the_server_are_reserved(string handle) =>
        Assert.Equal(ErrorCode.HandleReserved, Handles.CheckNew(handle)?.Code);

    [Theory]
    [InlineData("badminton")]
    [InlineData("marie_helpful")]
    [InlineData("botanist")]
    [InlineData("payton")]
    public void Names_that_merely_contain_such_letters_are_not(string handle) => Assert.Null(Handles.CheckNew(handle));

    [Theory]
    [InlineData("moon", "m00n")]
    [InlineData("bill", "bi11")]
    [InlineData("bill", "b1ll")]
    [InlineData("paypal", "pay_pall")]
    [InlineData("paypal", "paypai")]
    [InlineData("anna", "ana")]
    [InlineData("modern", "modem")]
    [InlineData("wendy", "vvendy")]
    [InlineData("simon", "51m0n")]
    [InlineData("jo_doe", "j0doe_")]
    public void Look_alikes_have_one_skeleton(string one, string other) =>
        Assert.Equal(Handles.Skeleton(one), Handles.Skeleton(other));

    [Theory]
    [InlineData("anna1", "anna11")]
    [InlineData("maria2", "maria22")]
    [InlineData("maria2000", "maria200")]
    [InlineData("ann", "dan")]
    [InlineData("lea1", "lea2")]
    public void Different_names_and_numbers_have_different_ones(string one, string other) =>
        Assert.NotEqual(Handles.Skeleton(one), Handles.Skeleton(other), StringComparer.Ordinal);

    [Fact]
    public void Every_handle_that_may_be_signed_up_has_a_skeleton() =>
        Assert.All<string>(["0__", "_1_", "iii", "vvv", "rnrn"], handle => Assert.NotEmpty(Handles.Skeleton(handle)));
}
