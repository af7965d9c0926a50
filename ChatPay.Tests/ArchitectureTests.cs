using System.Reflection;
using System.Reflection.Metadata;
using System.Reflection.PortableExecutable;
using System.Text.RegularExpressions;
using System.Xml.Linq;
using ChatPay.Client;
using ChatPay.Core.Mls;
using ChatPay.Core.Protocol;
using ChatPay.Server.Hosting;
using ChatPay.Tests.Support;
using Xunit;
using Group = ChatPay.Core.Mls.Group;

namespace ChatPay.Tests;

/// <summary>The reference rules of the design: who may know whom.</summary>
public sealed partial class ArchitectureTests
{
    private const string Core = "ChatPay.Core";
    private const string Client = "ChatPay.Client";
    private const string Server = "ChatPay.Server";
    private const string LoadTest = "ChatPay.LoadTest";

    /// <summary>Types that reach out of the process, or bring in time or chance that nobody passed in.</summary>
    private static readonly string[] s_impure =
    [
        "System.IO.File", "System.IO.FileStream", "System.IO.Directory", "System.IO.FileInfo", "System.Console",
        "System.Random", "System.Security.Cryptography.RandomNumberGenerator", "System.Diagnostics.Process",
        "System.Diagnostics.Stopwatch", "System.Threading.Thread", "System.Threading.Timer",
        "System.Threading.PeriodicTimer",
    ];

    private static readonly string[] s_impureMembers =
    [
        "DateTime.get_Now", "DateTime.get_UtcNow", "DateTimeOffset.get_Now", "DateTimeOffset.get_UtcNow",
        "TimeProvider.get_System", "Guid.NewGuid", "Guid.CreateVersion7", "Task.Delay",
        "Environment.GetEnvironmentVariable", "Environment.get_TickCount", "Environment.get_TickCount64",
    ];

    [Fact]
    public void Core_references_nothing_but_the_base_class_library()
    {
        Assert.Empty(ProjectReferences(Core));
        Assert.Empty(
            References(typeof(Error).Assembly).Where(name => !name.StartsWith("System.", StringComparison.Ordinal)));
    }

    [Fact]
    public void Client_references_core_and_no_server() => Assert.Equal([Core], ProjectReferences(Client));

    [Fact]
    public void Server_references_core_and_never_the_client_that_can_decrypt()
    {
        Assert.Equal([Core], ProjectReferences(Server));
        Assert.DoesNotContain(Client, References(typeof(ServerHost).Assembly));
    }

    /// <summary>
    /// What a member of a group does takes secrets, and the server has none: of MLS it knows what stands on the wire,
    /// and what can be told from that.
    /// </summary>
    [Fact]
    public void Server_uses_nothing_of_MLS_that_takes_being_a_member()
    {
        var mls = typeof(Group).Assembly.GetTypes().Where(type => type.Namespace == typeof(Group).Namespace).ToList();
        var holders = mls.Where(
            type => typeof(IDisposable).IsAssignableFrom(type) || typeof(Processed).IsAssignableFrom(type));
        Type[] others = [typeof(MlsServices), typeof(MlsCommitRequest), typeof(JoinOptions), typeof(ExternalJoin)];
        var members = holders.Concat(others).Select(type => type.FullName!).ToHashSet(StringComparer.Ordinal);
        Type[] known = [typeof(Group), typeof(PendingCommit), typeof(KeyPackageBundle), typeof(MlsMember)];
        Assert.All(known, type => Assert.Contains(type.FullName!, members));

        using var file = new PEReader(File.OpenRead(typeof(ServerHost).Assembly.Location));
        var metadata = file.GetMetadataReader();
        var used = metadata.TypeReferences.Select(handle => NameOf(metadata, handle)).ToList();
        Assert.Contains(typeof(KeyPackage).FullName!, used);
        Assert.Empty(used.Intersect(members));
    }

    /// <summary>
    /// Load tests speak through the client and host the server's engine; nothing builds on them but tests.
    /// </summary>
    [Fact]
    public void Load_tests_reference_client_and_server_and_no_product_references_them()
    {
        Assert.Equal([Core, Client, Server], ProjectReferences("loadtest/" + LoadTest));
        foreach (var product in new[] { typeof(Error), typeof(ChatPayException), typeof(ServerHost) })
        {
            Assert.DoesNotContain(LoadTest, References(product.Assembly));
        }
    }

    /// <summary>Whoever checks a log trusts its rules and no server: the tool has nothing of one.</summary>
    [Fact]
    public void The_verifier_references_core_alone() => Assert.Equal([Core], ProjectReferences("ChatPay.Verify"));

    [Fact]
    public void Core_reads_no_file_socket_clock_or_dice()
    {
        using var file = new PEReader(File.OpenRead(typeof(Error).Assembly.Location));
        var metadata = file.GetMetadataReader();
        var types = metadata.TypeReferences.Select(handle => NameOf(metadata, handle)).ToList();
        var members =
            from handle in metadata.MemberReferences
            let member = metadata.GetMemberReference(handle)
            where member.Parent.Kind == HandleKind.TypeReference
            let type = metadata.GetTypeReference((TypeReferenceHandle)member.Parent)
            select $"{metadata.GetString(type.Name)}.{metadata.GetString(member.Name)}";
        Assert.Empty(types.Where(type =>
            s_impure.Contains(type) || type.StartsWith("System.Net.", StringComparison.Ordinal)));
        Assert.Empty(members.Intersect(s_impureMembers));
    }

    [Fact]
    public void A_feature_never_uses_the_store_of_another()
    {
        var sources = Repository.Sources(Server).ToList();
        var stores =
            from source in sources
            from Match match in StoreDeclaration().Matches(source.Text)
            select (Feature: FeatureOf(source.Path), Name: match.Groups[1].Value);
        var findings =
            from store in stores.Distinct()
            from source in sources
            where FeatureOf(source.Path) != store.Feature
                && Regex.IsMatch(source.Text, $@"\b{store.Name}\b", RegexOptions.None, TimeSpan.FromSeconds(5))
            select $"{source.Path} uses {store.Name} of {store.Feature}";
        Repository.AssertNone(findings);
    }

    [Fact]
    public void A_namespace_says_where_its_file_lies()
    {
        var findings =
            from source in Repository.Sources()
            let declared = NamespaceDeclaration().Match(source.Text)
            where declared.Success
            let expected = NamespaceOf(source.Path[..source.Path.LastIndexOf('/')])
            where !expected.StartsWith(declared.Groups[1].Value, StringComparison.Ordinal)
            select $"{source.Path} declares {declared.Groups[1].Value}";
        Repository.AssertNone(findings);
    }

    /// <summary>A project's folder has its name, but for the load tests, which are no part of the product.</summary>
    private static string NamespaceOf(string folder) =>
        LoadTestFolder().Replace(folder, LoadTest).Replace('/', '.');

    private static string FeatureOf(string path) => path.Split('/')[1];

    private static IEnumerable<string> References(Assembly assembly) =>
        assembly.GetReferencedAssemblies().Select(reference => reference.Name!);

    private static IEnumerable<string> ProjectReferences(string project) =>
        XDocument.Load(Repository.PathOf(project.Contains('/', StringComparison.Ordinal)
                ? project + ".csproj" : $"{project}/{project}.csproj"))
            .Descendants("ProjectReference")
            .Select(reference => Path.GetFileNameWithoutExtension(
                reference.Attribute("Include")!.Value.Split('\\', '/')[^1]));

    private static string NameOf(MetadataReader metadata, TypeReferenceHandle handle)
    {
        var type = metadata.GetTypeReference(handle);
        return $"{metadata.GetString(type.Namespace)}.{metadata.GetString(type.Name)}";
    }

    [GeneratedRegex("^loadtest(?=/|$)")]
    private static partial Regex LoadTestFolder();

    [GeneratedRegex(@"\b(?:class|record|interface) (\w+Store)\b")]
    private static partial Regex StoreDeclaration();

    [GeneratedRegex(@"^namespace ([\w.]+);", RegexOptions.Multiline)]
    private static partial Regex NamespaceDeclaration();
}
