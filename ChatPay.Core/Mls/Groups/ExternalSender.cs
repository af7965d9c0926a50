namespace ChatPay.Core.Mls;

/// <summary>Somebody outside the group who may propose changes to it, RFC 9420 section 12.1.8.1.</summary>
public sealed class ExternalSender : ITlsStructure<ExternalSender>
{
    public required byte[] SignatureKey { get; init; }

    public required Credential Credential { get; init; }

    public static ExternalSender Read(ref TlsReader reader) => new()
    {
        SignatureKey = reader.ReadOpaque(),
        Credential = Credential.Read(ref reader),
    };

    public void Write(TlsWriter writer)
    {
        ArgumentNullException.ThrowIfNull(writer);
        writer.WriteOpaque(SignatureKey);
        Credential.Write(writer);
    }

    /// <summary>As the senders stand in a group's extensions.</summary>
    public static Extension ToExtension(IReadOnlyList<ExternalSender> senders)
    {
        var writer = new TlsWriter();
        writer.WriteVector(senders);
        return new Extension { Type = ExtensionType.ExternalSenders, Data = writer.ToArray() };
    }
}
