// Greets whoever starts a conversation with it, and asks them for the price of a coffee. Killed and started again at
// any moment, it greets everybody once: the answers to one item always have the same ids. One whom it cannot answer,
// because they have left meanwhile or their conversation cannot be read, keeps it from nobody else.
using ChatPay.Client;
using ChatPay.Core.Ledger;

if (args is not [var address, var folder] || Environment.GetEnvironmentVariable("BOT_PASSWORD") is not { } password)
{
    Console.Error.WriteLine("Usage: BOT_PASSWORD=… GreetingBot <address of the server> <folder for its keys>");
    return 2;
}

await using var store = await FileStore.OpenAsync(folder, password, null, default);
await using var bot = await ChatPayDevice.OpenAsync(new() { Address = new(address), Store = store }, default);
await bot.SignUpOrInAsync("greeting_bot", "Greeting Bot", password, default);
await bot.OnlineAsync(default);
Console.WriteLine($"@{bot.Account.Handle} is ready.");
await foreach (var started in bot.ReceiveAsync(default).OfType<ConversationStarted>().Where(one => !one.IsOwn))
{
    try
    {
        var (chat, guest, sum) = (bot.Conversation(started.Conversation), started.By!, Money.Of(350, AssetCode.Parse("EUR")));
        await chat.SendTextAsync($"Hello {guest.DisplayName}!", started.ReplyId("greeting"), default);
        await chat.RequestMoneyAsync(guest.Id, sum, "A coffee", new() { Id = started.CardId("coffee") }, default);
    }
    catch (ChatPayException failed) when (!failed.EndsDevice) { Console.Error.WriteLine(failed.Message); }
}

return 0;
