using System.Diagnostics.CodeAnalysis;

namespace ChatPay.Core.Mls;

/// <summary>A group's extensions, read: RFC 9420 sections 8.1, 11.1 and 12.1.8.1.</summary>
internal sealed class ContextExtensions
{
    private ContextExtensions(IReadOnlyList<Extension> all) => All = all;

    public IReadOnlyList<Extension> All { get; }

    public RequiredCapabilities Required { get; private set; } = new();

    public IReadOnlyList<ExternalSender> ExternalSenders { get; private set; } = [];

    /// <summary>Refuses a type that comes twice and known extensions whose data is not what it must be.</summary>
    public static bool TryRead(
        IReadOnlyList<Extension> extensions, [NotNullWhen(true)] out ContextExtensions? read,
        out MlsRejection rejection)
    {
        read = null;
        var result = new ContextExtensions(extensions);
        var seen = new HashSet<ushort>();
        foreach (var extension in extensions)
        {
            rejection = seen.Add(extension.Type) ? result.Take(extension) : MlsRejection.ExtensionDuplicate;
            if (rejection != MlsRejection.None)
            {
                return false;
            }
        }

        rejection = MlsRejection.None;
        read = result;
        return true;
    }

    private MlsRejection Take(Extension extension)
    {
        var reader = new TlsReader(extension.Data);
        switch (extension.Type)
        {
            case ExtensionType.RequiredCapabilities:
                Required = RequiredCapabilities.Read(ref reader);
                break;
            case ExtensionType.ExternalSenders:
                ExternalSenders = reader.ReadVector<ExternalSender>();
                break;
            default:
                return MlsRejection.None;
        }

        reader.End();
        return reader.Rejection;
    }
}
