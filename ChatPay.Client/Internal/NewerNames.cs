using System.Text.Json;
using System.Text.Json.Serialization;

namespace ChatPay.Client.Internal;

/// <summary>
/// Enums by their camelCase names. One that this version does not know is read as 0, which none of the protocol's has,
/// and written as <c>unknown</c>: a newer server's event of a kind to come must not keep a device from all the others.
/// </summary>
internal sealed class NewerNames : JsonConverterFactory
{
    private const string Unknown = "unknown";

    public override bool CanConvert(Type typeToConvert) => typeToConvert.IsEnum;

    public override JsonConverter CreateConverter(Type typeToConvert, JsonSerializerOptions options) =>
        (JsonConverter)Activator.CreateInstance(typeof(Names<>).MakeGenericType(typeToConvert))!;

    private sealed class Names<T> : JsonConverter<T>
        where T : struct, Enum
    {
        private readonly Dictionary<string, T> _values = Enum.GetValues<T>().ToDictionary(Name, StringComparer.Ordinal);

        public override T Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) =>
            reader.TokenType == JsonTokenType.String
                ? _values.GetValueOrDefault(reader.GetString()!)
                : throw new JsonException("A name was expected.");

        public override void Write(Utf8JsonWriter writer, T value, JsonSerializerOptions options) =>
            writer.WriteStringValue(Enum.IsDefined(value) ? Name(value) : Unknown);

        private static string Name(T value) => JsonNamingPolicy.CamelCase.ConvertName(Enum.GetName(value)!);
    }
}
