using ChatPay.Server.Database;
using ChatPay.Server.Hosting;
using ChatPay.Tests.Support;
using Xunit;

namespace ChatPay.Tests.Database;

/// <summary>One data folder belongs to one server.</summary>
public sealed class DataFolderLockTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void A_second_server_on_the_folder_is_refused_with_one_sentence()
    {
        using var first = DataFolder.Hold(_folder.Path);
        var refusal = Assert.Throws<StartupException>(() => DataFolder.Hold(_folder.Path)).Message;
        Assert.Equal(
            $"Another ChatPay server (process {Environment.ProcessId}) is using the data folder {_folder.Path}; "
            + "stop it, or give this one a folder of its own with --data.",
            refusal);
    }

    [Fact]
    public void The_folder_is_free_again_when_its_server_ends()
    {
        DataFolder.Hold(_folder.Path).Dispose();
        using var second = DataFolder.Hold(_folder.Path);
        Assert.True(second.IsHeld);
    }

    [Fact]
    public void A_lock_file_left_behind_blocks_nobody()
    {
        File.WriteAllText(Path.Combine(_folder.Path, "lock"), "1");
        using var folder = DataFolder.Hold(_folder.Path);
        Assert.True(folder.IsHeld);
    }

    [Fact]
    public async Task A_secret_is_readable_by_its_owner_alone()
    {
        using var folder = DataFolder.Hold(_folder.Path);
        await folder.WriteSecretAsync("secret", "first", TestContext.Current.CancellationToken);
        await folder.WriteSecretAsync("secret", "second", TestContext.Current.CancellationToken);
        Assert.Equal("second", await folder.ReadSecretAsync("secret", TestContext.Current.CancellationToken));
        if (!OperatingSystem.IsWindows())
        {
            Assert.Equal(
                UnixFileMode.UserRead | UnixFileMode.UserWrite,
                File.GetUnixFileMode(Path.Combine(_folder.Path, "secret")));
        }
    }
}
