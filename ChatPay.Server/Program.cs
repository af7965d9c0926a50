using ChatPay.Server.Accounts;
using ChatPay.Server.Archive;
using ChatPay.Server.Cards;
using ChatPay.Server.Cluster;
using ChatPay.Server.Conversations;
using ChatPay.Server.Database;
using ChatPay.Server.Hosting;
using ChatPay.Server.KeyPackages;
using ChatPay.Server.Ledger;
using ChatPay.Server.Presence;
using ChatPay.Server.Realtime;
using ChatPay.Server.Receipts;
using ChatPay.Server.Transparency;
using ChatPay.Server.Vault;

namespace ChatPay.Server;

/// <summary>The table of contents: one line per feature for what it adds and one for what it maps.</summary>
internal static class Program
{
    internal static void AddFeatures(IServiceCollection services)
    {
        services.AddDatabase();
        services.AddAccounts();
        services.AddKeyPackages();
        services.AddConversations();
        services.AddRealtime();
        services.AddCluster();
        services.AddPresence();
        services.AddLedger();
        services.AddCards();
        services.AddVault();
        services.AddKeyLog();
        services.AddLedgerLog();
        services.AddReceipts();
        services.AddArchive();
    }

    /// <summary>Middleware of features: authentication and authorisation first.</summary>
    internal static void UseFeatures(WebApplication app)
    {
        app.UseHubDoor();
        app.UseAccounts();
    }

    /// <param name="v1">The group <c>/v1</c>, which all of REST is under.</param>
    internal static void MapFeatures(WebApplication app, RouteGroupBuilder v1)
    {
        v1.MapAccounts();
        v1.MapKeyPackages();
        v1.MapConversations();
        app.MapRealtime();
        v1.MapPresence();
        v1.MapLedger();
        v1.MapCards();
        v1.MapVault();
        v1.MapKeys();
        app.MapKeyLog();
        v1.MapLedgerLog();
        app.MapLedgerLog();
        v1.MapReceipts();
        v1.MapArchive();
    }

    private static Task<int> Main(string[] args) => CommandLine.RunAsync(args);
}
