using System.Diagnostics.CodeAnalysis;
using System.Text.Json;
using System.Text.Json.Serialization;
using System.Text.Json.Serialization.Metadata;

namespace ChatPay.Core.Protocol;

/// <summary>How the wire records are written as JSON: the same over HTTP, over the hub, in the log and in the SDK.</summary>
public static class ProtocolJson
{
    /// <summary>Nothing on the wire nests deeper.</summary>
    public const int MaxDepth = 16;

    /// <summary>camelCase members and enums, none twice, nulls left out, bytes as base64; unknown ones are passed over.</summary>
    [RequiresUnreferencedCode("Wire records are serialised by reflection.")]
    [RequiresDynamicCode("Wire records are serialised by reflection.")]
    public static void Configure(JsonSerializerOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        options.PropertyNamingPolicy = JsonNamingPolicy.CamelCase;
        options.PropertyNameCaseInsensitive = false;
        options.AllowDuplicateProperties = false;
        options.DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull;
        options.NumberHandling = JsonNumberHandling.Strict;
        options.AllowDuplicateProperties = false;
        options.MaxDepth = MaxDepth;
        options.RespectNullableAnnotations = true;
        options.Converters.Add(new JsonStringEnumConverter(JsonNamingPolicy.CamelCase, allowIntegerValues: false));
        options.TypeInfoResolver = new DefaultJsonTypeInfoResolver
        {
            Modifiers = { RequireWhatIsNotNullable, WriteOneSideOfAReply },
        };
    }

    [RequiresUnreferencedCode("Wire records are serialised by reflection.")]
    [RequiresDynamicCode("Wire records are serialised by reflection.")]
    public static JsonSerializerOptions Create()
    {
        var options = new JsonSerializerOptions();
        Configure(options);
        options.MakeReadOnly();
        return options;
    }

    /// <summary>Nulls are left out, so exactly the members that may be null, or have a default, may be missing.</summary>
    private static void RequireWhatIsNotNullable(JsonTypeInfo type)
    {
        foreach (var property in type.Properties)
        {
            if (property.AssociatedParameter is { HasDefaultValue: false, IsNullable: false } parameter
                && Nullable.GetUnderlyingType(parameter.ParameterType) is null)
            {
                property.IsRequired = true;
            }
        }
    }

    /// <summary>A reply holds its answer or its error. An answer that is a struct is never null, so that takes a rule.</summary>
    private static void WriteOneSideOfAReply(JsonTypeInfo type)
    {
        if (!type.Type.IsGenericType || type.Type.GetGenericTypeDefinition() != typeof(HubReply<>))
        {
            return;
        }

        foreach (var property in type.Properties)
        {
            if (property.Name == "ok")
            {
                property.ShouldSerialize = static (reply, _) => ((IHubReply)reply).Error is null;
            }
        }
    }
}
