namespace ChatPay.Core.Mls;


/// <summary>What lets new members in, RFC 9420 section 12.4.3.1.</summary>
public sealed class Welcome : ITlsStructure<Welcome>
{
    public required ushort CipherSuite { get; init; }

    /// <summary>One for each new member, named by its KeyPackageRef.</summary>
    public required IReadOnlyList<EncryptedGroupSecrets> Secrets { get; init; }

    public required byte[] EncryptedGroupInfo { get; init; }

    public static Welcome Read(ref TlsReader reader) => new()
    {
        CipherSuite = reader.ReadUInt16(),
        Secrets = reader.ReadVector<EncryptedGroupSecrets>(),
        EncryptedGroupInfo = reader.ReadOpaque(),
    };

    public void Write(TlsWriter writer)
    {
        ArgumentNullException.ThrowIfNull(writer);
        writer.WriteUInt16(CipherSuite);
        writer.WriteVector(Secrets);
        writer.WriteOpaque(EncryptedGroupInfo);
    }
}

/// <summary>The group's secrets for one new member.</summary>
public sealed class EncryptedGroupSecrets : ITlsStructure<EncryptedGroupSecrets>
{
    /// <summary>KeyPackageRef of the key package that was used.</summary>
    public required byte[] NewMember { get; init; }

    public required HpkeCiphertext Secrets { get; init; }

    public static EncryptedGroupSecrets Read(ref TlsReader reader) => new()
    {
        NewMember = reader.ReadOpaque(),
        Secrets = HpkeCiphertext.Read(ref reader),
    };

    public void Write(TlsWriter writer)
    {
        ArgumentNullException.ThrowIfNull(writer);
        writer.WriteOpaque(NewMember);
        Secrets.Write(writer);
    }
}
