using ChatPay.Server.Database.GroupCommit;

namespace ChatPay.Server.Conversations;

/// <summary>Conversations: the durable logs, their members and the MLS delivery service.</summary>
internal static class ConversationsFeature
{
    public static IServiceCollection AddConversations(this IServiceCollection services)
    {
        services.AddSingleton<IWriteRowsFactory, ConversationRowsFactory>();
        return services;
    }
}
