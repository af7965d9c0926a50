using StackExchange.Redis;

namespace ChatPay.Server.Cluster;

/// <summary>The Redis that is connected now, for what is kept in it rather than said through it.</summary>
internal sealed class RedisAccess
{
    private volatile IDatabase? _database;

    /// <summary>Null while there is none.</summary>
    public IDatabase? Database
    {
        get => _database;
        set => _database = value;
    }
}
