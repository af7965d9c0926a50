namespace ChatPay.Core.Mls;


/// <summary>Who a leaf says it is, RFC 9420 section 5.3. What it means is the application's to judge.</summary>
public abstract class Credential : ITlsStructure<Credential>
{
    private protected Credential()
    {
    }

    public abstract CredentialType Type { get; }

    public static Credential Read(ref TlsReader reader) => (CredentialType)reader.ReadUInt16() switch
    {
        CredentialType.Basic => new BasicCredential { Identity = reader.ReadOpaque() },
        CredentialType.X509 => new X509Credential { Certificates = reader.ReadVector<OpaqueValue>() },
        _ => reader.Fail<Credential>(MlsRejection.UnknownCredentialType),
    };

    public void Write(TlsWriter writer)
    {
        ArgumentNullException.ThrowIfNull(writer);
        writer.WriteUInt16((ushort)Type);
        WriteBody(writer);
    }

    private protected abstract void WriteBody(TlsWriter writer);
}

/// <summary>A bare identity.</summary>
public sealed class BasicCredential : Credential
{
    public required byte[] Identity { get; init; }

    public override CredentialType Type => CredentialType.Basic;

    private protected override void WriteBody(TlsWriter writer) => writer.WriteOpaque(Identity);
}

/// <summary>A chain of DER certificates, the leaf's own first. Carried, not interpreted.</summary>
public sealed class X509Credential : Credential
{
    public required IReadOnlyList<OpaqueValue> Certificates { get; init; }

    public override CredentialType Type => CredentialType.X509;

    private protected override void WriteBody(TlsWriter writer) => writer.WriteVector(Certificates);
}
