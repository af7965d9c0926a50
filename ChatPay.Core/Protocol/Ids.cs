using System.Text.Json;
using System.Text.Json.Serialization;

namespace ChatPay.Core.Protocol;

/// <summary>A strongly typed UUID. Server-made ids are version 7; clients choose their own message and card ids.</summary>
public interface IId<TSelf>
    where TSelf : struct, IId<TSelf>
{
    Guid Value { get; }

    static abstract TSelf From(Guid value);
}

/// <summary>A person or a bot.</summary>
[JsonConverter(typeof(IdJsonConverter<AccountId>))]
public readonly record struct AccountId(Guid Value) : IId<AccountId>
{
    public static AccountId From(Guid value) => new(value);

    public override string ToString() => Value.ToString();
}

/// <summary>One signed-in device of an account; one MLS leaf in each of the account's conversations.</summary>
[JsonConverter(typeof(IdJsonConverter<DeviceId>))]
public readonly record struct DeviceId(Guid Value) : IId<DeviceId>
{
    public static DeviceId From(Guid value) => new(value);

    public override string ToString() => Value.ToString();
}

/// <summary>A conversation; its 16 bytes in network order are also the MLS group id.</summary>
[JsonConverter(typeof(IdJsonConverter<ConversationId>))]
public readonly record struct ConversationId(Guid Value) : IId<ConversationId>
{
    public static ConversationId From(Guid value) => new(value);

    public override string ToString() => Value.ToString();
}

/// <summary>Chosen by the sending device, unique per (conversation, device): the idempotency key of a send.</summary>
[JsonConverter(typeof(IdJsonConverter<ClientMessageId>))]
public readonly record struct ClientMessageId(Guid Value) : IId<ClientMessageId>
{
    public static ClientMessageId From(Guid value) => new(value);

    public override string ToString() => Value.ToString();
}

/// <summary>A payment card, chosen by the device that posts it.</summary>
[JsonConverter(typeof(IdJsonConverter<CardId>))]
public readonly record struct CardId(Guid Value) : IId<CardId>
{
    public static CardId From(Guid value) => new(value);

    public override string ToString() => Value.ToString();
}

/// <summary>An account's archive: made of its key, so another key is another archive. Its version bits mean nothing.</summary>
[JsonConverter(typeof(IdJsonConverter<ArchiveId>))]
public readonly record struct ArchiveId(Guid Value) : IId<ArchiveId>
{
    public static ArchiveId From(Guid value) => new(value);

    public override string ToString() => Value.ToString();
}

/// <summary>Writes an id as its UUID string.</summary>
public sealed class IdJsonConverter<TId> : JsonConverter<TId>
    where TId : struct, IId<TId>
{
    public override TId Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) =>
        TId.From(reader.GetGuid());

    public override void Write(Utf8JsonWriter writer, TId value, JsonSerializerOptions options) =>
        writer.WriteStringValue(value.Value);
}
