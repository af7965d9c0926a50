using System.Xml.Linq;
using Microsoft.AspNetCore.DataProtection;
using Microsoft.AspNetCore.DataProtection.KeyManagement;
using Microsoft.AspNetCore.DataProtection.Repositories;

namespace ChatPay.Server.Hosting;

/// <summary>
/// The framework's authentication makes itself keys and would keep them in the home folder. ChatPay protects nothing with
/// them (its sessions are random tokens), so they live and die with the process.
/// </summary>
internal static class DataProtectionKeys
{
    public static void PersistNowhere(this IDataProtectionBuilder builder) =>
        builder.Services.Configure<KeyManagementOptions>(options => options.XmlRepository = new InMemory());

    private sealed class InMemory : IXmlRepository
    {
        private readonly Lock _gate = new();
        private readonly List<XElement> _elements = [];

        public IReadOnlyCollection<XElement> GetAllElements()
        {
            lock (_gate)
            {
                return [.. _elements];
            }
        }

        public void StoreElement(XElement element, string friendlyName)
        {
            lock (_gate)
            {
                _elements.Add(element);
            }
        }
    }
}
