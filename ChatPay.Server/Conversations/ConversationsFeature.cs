using ChatPay.Server.Database.GroupCommit;
using ChatPay.Server.Hosting;

namespace ChatPay.Server.Conversations;

/// <summary>Conversations: the durable logs, their members and the MLS delivery service.</summary>
internal static class ConversationsFeature
{
    public static void AddConversations(this IServiceCollection services)
    {
        services.AddValidatedOptions<ConversationOptions>(ConversationOptions.Section);
        services.AddSingleton<ConversationCache>();
        services.AddSingleton<IWriteRowsFactory, ConversationRowsFactory>();
        services.AddSingleton<ConversationStore>();
        services.AddSingleton<ReceiptStore>();
        services.AddSingleton<DeviceMessageStore>();
        services.AddSingleton<LineageStore>();
        services.AddSingleton<HandshakeReader>();
        services.AddSingleton<ConversationViews>();
        services.AddSingleton<ConversationService>();
        services.AddSingleton<HelloService>();
        services.AddSingleton<SignalService>();
        services.AddSingleton<PairwiseService>();
        services.AddHostedService<PairwiseSweeper>();
        services.AddSingleton<Lineage>();
        services.AddHostedService(provider => provider.GetRequiredService<Lineage>());
        services.AddSingleton<RetentionStore>();
        services.AddSingleton<RetentionSweeper>();
        services.AddHostedService(provider => provider.GetRequiredService<RetentionSweeper>());
        services.AddSingleton<ReceiptFlusher>();
        services.AddHostedService(provider => provider.GetRequiredService<ReceiptFlusher>());
    }
}
