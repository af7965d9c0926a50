using System.Globalization;
using ChatPay.Server.Hosting;

namespace ChatPay.Server.Database;

/// <summary>
/// Whom the embedded PostgreSQL runs as when the server itself runs as root, which PostgreSQL refuses to do.
/// </summary>
internal sealed record UnprivilegedUser(string Name, int UserId, int GroupId)
{
    /// <summary>In order of preference: a user made for this, PostgreSQL's own, the one every system has.</summary>
    private static readonly string[] Candidates = ["chatpay", "postgres", "nobody"];

    /// <summary>The words that, put before a command, run it as this user; the process stays the same one.</summary>
    public IReadOnlyList<string> Prefix =>
    [
        "setpriv", Invariant($"--reuid={UserId}"), Invariant($"--regid={GroupId}"), "--clear-groups", "--",
    ];

    /// <summary>Null unless this process is root and so has to become somebody else.</summary>
    /// <param name="clusterFolder">An existing cluster keeps the owner it has.</param>
    public static async Task<UnprivilegedUser?> FindAsync(string clusterFolder, CancellationToken cancellationToken)
    {
        if (OperatingSystem.IsWindows() || !Environment.IsPrivilegedProcess)
        {
            return null;
        }

        if (!OperatingSystem.IsLinux())
        {
            throw new StartupException("The embedded PostgreSQL cannot run as root on this system; "
                + "start ChatPay as an ordinary user.");
        }

        var users = await ReadAsync(cancellationToken);
        if (Directory.Exists(clusterFolder))
        {
            var stat = await Tool.RunAsync(["stat", "-c", "%u", clusterFolder], null, "/", cancellationToken);
            var owner = users.Find(user => Invariant($"{user.UserId}") == stat.Output);
            if (owner is { UserId: not 0 })
            {
                return owner;
            }
        }

        return Candidates.Select(name => users.Find(user => user.Name == name)).FirstOrDefault(user => user is not null)
            ?? throw new StartupException("The embedded PostgreSQL cannot run as root and found no other user; "
                + "run: useradd --system chatpay");
    }

    /// <summary>Whether this user can walk to <paramref name="path"/> and read it, as the system itself judges.</summary>
    public async Task<bool> CanReachAsync(string path, CancellationToken cancellationToken)
    {
        var test = File.Exists(path) ? "-r" : "-x";
        return (await Tool.RunAsync(["test", test, path], this, "/", cancellationToken)).ExitCode == 0;
    }

    /// <summary>Gives a folder and all in it to this user.</summary>
    public async Task OwnAsync(string path, CancellationToken cancellationToken)
    {
        var outcome = await Tool.RunAsync(
            ["chown", "-R", "-h", Invariant($"{UserId}:{GroupId}"), path], null, "/", cancellationToken);
        if (outcome.ExitCode != 0)
        {
            throw new StartupException($"Could not give {path} to the user {Name}: {outcome.Output}");
        }
    }

    private static async Task<List<UnprivilegedUser>> ReadAsync(CancellationToken cancellationToken) =>
    [
        .. (await File.ReadAllLinesAsync("/etc/passwd", cancellationToken))
            .Select(line => line.Split(':'))
            .Where(fields => fields.Length == 7)
            .Select(fields => new UnprivilegedUser(
                fields[0],
                int.Parse(fields[2], CultureInfo.InvariantCulture),
                int.Parse(fields[3], CultureInfo.InvariantCulture))),
    ];

    private static string Invariant(FormattableString text) => FormattableString.Invariant(text);
}
