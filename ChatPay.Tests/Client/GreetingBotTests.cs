using System.Diagnostics;
using ChatPay.Client;
using ChatPay.Core.Ledger;
using ChatPay.Core.Protocol;
using ChatPay.Tests.Support;
using Xunit;

namespace ChatPay.Tests.Client;

/// <summary>The sample under samples/, as the program that it is.</summary>
public sealed class GreetingBotTests(PostgresFixture postgres)
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact(Timeout = SdkPerson.TimeoutMs)]
    public async Task It_greets_whoever_writes_to_it_once_and_asks_for_a_coffee()
    {
        await using var server = await StartAsync();
        using var folder = new TemporaryFolder();
        await using var guest = await SdkPerson.JoinAsync(server.Address);
        AccountView account;
        ChatConversation chat;
        await using (await BotProcess.StartAsync(server.Address, folder.Path))
        {
            account = await guest.Device.FindAccountAsync("greeting_bot", Cancellation);
            chat = await guest.Device.StartDirectAsync(account.Id, Cancellation);
            Assert.Equal(account.Id, (await guest.ReadsAsync($"Hello The {guest.Handle}!")).By!.Id);
            var card = ((CardPosted)await guest.Items.FirstAsync(item => item is CardPosted)).Card;
            Assert.Equal((Money.Of(350, AssetCode.Parse("EUR")), "A coffee"), (card.Money, card.Memo));
            Assert.Equal(CardState.Paid, (await guest.Device.PayAsync(card.Id, Cancellation)).State);
        }

        // While it is away somebody else writes to it; when it is back it greets them, and nobody again.
        await using var late = await SdkPerson.JoinAsync(server.Address);
        await late.Device.StartDirectAsync(account.Id, Cancellation);
        await using (await BotProcess.StartAsync(server.Address, folder.Path))
        {
            await late.ReadsAsync($"Hello The {late.Handle}!");
            await late.Items.FirstAsync(item => item is CardPosted);
        }

        // The bot takes one thing after the other: whatever it says again to the first guest stands before this.
        var marker = await chat.SendTextAsync("Anything else?", Cancellation);
        await Eventually.TrueAsync(() => Task.FromResult(chat.Seq >= marker.Seq), "the guest has read everything");
        var said = new List<ChatItem>();
        await foreach (var item in chat.HistoryAsync(null, Cancellation))
        {
            said.Add(item);
        }

        Assert.Single(said.OfType<TextMessage>(), message => message.By!.Id == account.Id);
        Assert.Single(said.OfType<CardPosted>());
    }

    [Fact(Timeout = SdkPerson.TimeoutMs)]
    public async Task Whoever_has_left_before_they_are_greeted_keeps_it_from_nobody_else()
    {
        await using var server = await StartAsync();
        using var folder = new TemporaryFolder();
        await using var fleeting = await SdkPerson.JoinAsync(server.Address);
        await using var next = await SdkPerson.JoinAsync(server.Address);
        AccountView account;
        await using (await BotProcess.StartAsync(server.Address, folder.Path))
        {
            account = await next.Device.FindAccountAsync("greeting_bot", Cancellation);
        }

        var group = await fleeting.Device.CreateGroupAsync("Not for long", [account.Id], Cancellation);
        await group.LeaveAsync(Cancellation);
        await next.Device.StartDirectAsync(account.Id, Cancellation);
        await using (await BotProcess.StartAsync(server.Address, folder.Path))
        {
            await next.ReadsAsync($"Hello The {next.Handle}!");
            await next.Items.FirstAsync(item => item is CardPosted);
        }
    }

    [Fact(Timeout = SdkPerson.TimeoutMs)]
    public async Task Somebody_whose_conversation_cannot_be_read_keeps_it_from_nobody_else()
    {
        await using var server = await StartAsync();
        using var folder = new TemporaryFolder();
        await using var hostile = await Person.JoinAsync(server.Address);
        await using var next = await SdkPerson.JoinAsync(server.Address);
        await using (await BotProcess.StartAsync(server.Address, folder.Path))
        {
            var account = await next.Device.FindAccountAsync("greeting_bot", Cancellation);
            await StartWithNoiseAsync(hostile, account.Id);
            await next.Device.StartDirectAsync(account.Id, Cancellation);
            await next.ReadsAsync($"Hello The {next.Handle}!");
            await next.Items.FirstAsync(item => item is CardPosted);
        }
    }

    [Fact(Timeout = SdkPerson.TimeoutMs)]
    public async Task It_says_how_it_is_started()
    {
        await using var bot = BotProcess.Launch([]);
        Assert.Equal(2, await bot.ExitCodeAsync());
        Assert.StartsWith("Usage: ", await bot.ErrorsAsync(), StringComparison.Ordinal);
    }

    [Fact]
    public void It_has_about_twenty_lines() => Assert.InRange(
        File.ReadLines(Repository.PathOf("samples/GreetingBot/Program.cs"))
            .Count(line => line.Trim() is { Length: > 0 } text && !text.StartsWith("//", StringComparison.Ordinal)),
        0, 24);

    /// <summary>A conversation that the server takes for one; Welcome and group are noise.</summary>
    private static async Task StartWithNoiseAsync(Person creator, AccountId other)
    {
        var id = TestGroup.NewId();
        var claimed = await creator.Client.ClaimKeyPackagesAsync(new([other]), Cancellation);
        byte[][] packages = [.. claimed.KeyPackages.Select(package => package.KeyPackage)];
        var commit = TestMls.Commit(new()
        {
            Conversation = id,
            Epoch = 0,
            Account = creator.Id,
            Device = creator.Device,
            SignatureKey = creator.Key,
            Adds = packages,
        });
        await creator.Client.CreateConversationAsync(
            new(
                id, ConversationKind.Direct, TestGroup.NewClientId(), commit, TestMls.Welcome(packages),
                TestMls.GroupInfo(id, 1, creator.Key)),
            Cancellation);
    }

    /// <summary>The bot has one name, so every test has a server of its own for it.</summary>
    private async Task<TestServer> StartAsync() => await TestServer.StartAsync(await postgres.CreateDatabaseAsync());

    /// <summary>The program; killed when it is disposed of, and in any case when the tests end.</summary>
    private sealed class BotProcess : IAsyncDisposable
    {
        private static readonly TimeSpan s_deadline = TimeSpan.FromSeconds(60);

        private readonly Process _process;

        private BotProcess(ProcessStartInfo start)
        {
            _process = Process.Start(start)!;
            AppDomain.CurrentDomain.ProcessExit += OnTestsEnd;
        }

        public static async Task<BotProcess> StartAsync(Uri server, string folder)
        {
            var bot = Launch([server.ToString(), Path.Combine(folder, "bot")]);
            try
            {
                var line = await bot._process.StandardOutput.ReadLineAsync(Cancellation).AsTask()
                    .WaitAsync(s_deadline, Cancellation);
                Assert.True(line == "@greeting_bot is ready.", line ?? await bot.ErrorsAsync());
                return bot;
            }
            catch
            {
                await bot.DisposeAsync();
                throw;
            }
        }

        public static BotProcess Launch(IReadOnlyList<string> arguments)
        {
            // Built like these tests, in the same configuration.
            var configuration = new DirectoryInfo(AppContext.BaseDirectory).Parent!.Name;
            var program = Repository.PathOf($"samples/GreetingBot/bin/{configuration}/net10.0/GreetingBot.dll");
            var start = new ProcessStartInfo(
                Environment.GetEnvironmentVariable("DOTNET_HOST_PATH") ?? "dotnet", [program, .. arguments])
            {
                RedirectStandardOutput = true,
                RedirectStandardError = true,
                UseShellExecute = false,
            };
            start.Environment["BOT_PASSWORD"] = Person.Password;
            return new(start);
        }

        public async Task<int> ExitCodeAsync()
        {
            await _process.WaitForExitAsync(Cancellation).WaitAsync(s_deadline, Cancellation);
            return _process.ExitCode;
        }

        public Task<string> ErrorsAsync() => _process.StandardError.ReadToEndAsync(Cancellation).WaitAsync(s_deadline);

        public async ValueTask DisposeAsync()
        {
            AppDomain.CurrentDomain.ProcessExit -= OnTestsEnd;
            Kill();
            await _process.WaitForExitAsync(CancellationToken.None).WaitAsync(s_deadline, CancellationToken.None);
            _process.Dispose();
        }

        private void OnTestsEnd(object? sender, EventArgs arguments) => Kill();

        /// <summary>SIGKILL, whatever it is doing; nothing where it has ended.</summary>
        private void Kill() => _process.Kill();
    }
}
