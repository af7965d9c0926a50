using ChatPay.Server.Hosting;
using ChatPay.Tests.Support;
using Xunit;

namespace ChatPay.Tests.Hosting;

/// <summary>A secret in a file: made once, read as it was made, and refused when it is another.</summary>
public sealed class SecretFileTests : IDisposable
{
    private const string Header = "chatpay test key v1";
    private const string Id = "0b6f8a52-1c4e-4d07-9a53-2f0d5f6c7e81";

    /// <summary>32 bytes of 0xff.</summary>
    private const string Secret = "__________________________________________8";

    private readonly TemporaryFolder _folder = new();

    private string FilePath => Path.Combine(_folder.Path, "keys", "test.key");

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void A_file_is_made_where_one_may_be_and_opens_to_the_same_secret_and_id(bool hasId)
    {
        var file = new SecretFile(FilePath, Header, "test key file", hasId);
        var (made, read) = (new byte[SecretFile.SecretBytes], new byte[SecretFile.SecretBytes]);
        Assert.False(file.TryOpen(mayCreate: false, made, out _));
        Assert.False(File.Exists(FilePath));
        Assert.True(file.TryOpen(mayCreate: true, made, out var madeId));
        Assert.True(file.TryOpen(mayCreate: true, read, out var readId));
        Assert.Equal(made, read);
        Assert.Contains(made, static value => value != 0);
        Assert.Equal(madeId, readId);
        Assert.Equal(hasId, madeId != Guid.Empty);
        Assert.Equal(hasId ? 3 : 2, File.ReadAllLines(FilePath).Length);
    }

    [Theory]
    [InlineData($"{Header}\n{Id}\n{Secret}\n")]
    [InlineData($"{Header}\n{Id}\n{Secret}")]
    [InlineData($"\uFEFF{Header}\r\n{Id}\r\n{Secret}\r\n\r\n")]
    [InlineData($"\n {Header} \n\n\t{Id}\n{Secret} \n")]
    public void What_an_editor_leaves_between_the_lines_means_nothing(string content)
    {
        var secret = new byte[SecretFile.SecretBytes];
        Assert.True(Open(content, secret, out var id));
        Assert.Equal(Guid.ParseExact(Id, "D"), id);
        Assert.All(secret, static value => Assert.Equal(0xff, value));
    }

    [Theory]
    [InlineData("")]
    [InlineData("nonsense")]
    [InlineData($"{Header}\n{Id}\n")]
    [InlineData($"{Header}\n{Secret}\n")]
    [InlineData($"{Header} \n{Id}\n{Secret}\n{Secret}\n")]
    [InlineData($"{Header}x\n{Id}\n{Secret}\n")]
    [InlineData($"{Header}\n{Id}x\n{Secret}\n")]
    [InlineData($"{Header}\n{Id}\n{Secret}A\n")]
    [InlineData($"{Header}\n{Id}\n{Secret}AAAA\n")]
    [InlineData($"{Header}\n{Id}\n_______________________________________8\n")]
    [InlineData($"{Header}\n{Id}\n*_________________________________________8\n")]
    [InlineData($"{Header}\n{Id}\n________________________________________+/8\n")]
    public void A_file_with_anything_else_in_it_is_refused_by_name_and_gives_no_part_of_a_secret(string content)
    {
        var secret = new byte[SecretFile.SecretBytes];
        var failure = Assert.Throws<StartupException>(() => Open(content, secret, out _));
        Assert.Contains($"{FilePath} is no test key file", failure.Message, StringComparison.Ordinal);
        Assert.DoesNotContain("____", failure.Message, StringComparison.Ordinal);
        Assert.All(secret, static value => Assert.Equal(0, value));
    }

    [Fact]
    public void A_file_that_is_too_long_to_be_one_is_refused() => Assert.Throws<StartupException>(
        () => Open($"{Header}\n{Id}\n{Secret}\n{new string('\n', 1000)}", new byte[SecretFile.SecretBytes], out _));

    private bool Open(string content, Span<byte> secret, out Guid id)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(FilePath)!);
        File.WriteAllText(FilePath, content);
        return new SecretFile(FilePath, Header, "test key file", hasId: true).TryOpen(mayCreate: false, secret, out id);
    }
}
