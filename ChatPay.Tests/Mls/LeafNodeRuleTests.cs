using ChatPay.Core.Cryptography;
using ChatPay.Core.Mls;
using ChatPay.Tests.Support;
using Xunit;

namespace ChatPay.Tests.Mls;

/// <summary>RFC 9420 section 7.3, as far as a leaf can be judged by itself: each is signed by whose it is.</summary>
public sealed class LeafNodeRuleTests : IDisposable
{
    private const ushort Private = 0xf001;

    private readonly Key _key = TestMls.NewSignatureKey();

    [Fact]
    public void A_leaf_must_list_all_that_it_uses_and_use_nothing_twice()
    {
        Capabilities all = TestMls.Capabilities();
        Extension extension = new() { Type = Private, Data = [] };
        Extension applicationId = new() { Type = ExtensionType.ApplicationId, Data = [1] };
        (string Why, Capabilities Capabilities, Extension[] Extensions, MlsRejection Expected)[] rows =
        [
            ("as it should be", all, [applicationId], MlsRejection.None),
            ("another version", With(all, versions: [2]), [], MlsRejection.CapabilitiesLacking),
            ("another suite", With(all, suites: [3]), [], MlsRejection.CapabilitiesLacking),
            ("another kind of credential", With(all, credentials: [2]), [], MlsRejection.CapabilitiesLacking),
            ("an extension that it does not know", all, [extension], MlsRejection.CapabilitiesLacking),
            ("an extension that it knows", With(all, extensions: [Private]), [extension], MlsRejection.None),
            ("an extension twice", all, [applicationId, applicationId], MlsRejection.ExtensionDuplicate),
            ("values that nobody knows", With(all, versions: [0x0a0a, 1], suites: [0x1a1a, 1], credentials: [0x2a2a, 1]), [],
                MlsRejection.None),
        ];
        Assert.All(rows, row =>
        {
            var options = new KeyPackageOptions { Capabilities = row.Capabilities, LeafExtensions = row.Extensions };
            var leaf = TestMls.BuildKeyPackage(default, default, _key, options).LeafNode;
            Assert.Equal((row.Why, row.Expected), (row.Why, LeafNodeValidation.Check(leaf, TestMls.Suite, [], 0)));
        });
    }

    public void Dispose() => _key.Dispose();

    private static Capabilities With(
        Capabilities from, ushort[]? versions = null, ushort[]? suites = null, ushort[]? extensions = null,
        ushort[]? credentials = null) => new()
        {
            Versions = versions ?? from.Versions,
            CipherSuites = suites ?? from.CipherSuites,
            Extensions = extensions ?? from.Extensions,
            Proposals = from.Proposals,
            Credentials = credentials ?? from.Credentials,
        };
}
