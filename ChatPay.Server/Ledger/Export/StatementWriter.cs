using ChatPay.Core.Protocol;

namespace ChatPay.Server.Ledger;

/// <summary>A form that a statement can be had in.</summary>
/// <param name="Name">As the query and the command line name it.</param>
/// <param name="Extension">Of the file, without the dot.</param>
/// <param name="Refuse">Why this statement cannot be written in this form, or null.</param>
internal sealed record StatementFormat(
    string Name, string ContentType, string Extension, Func<StatementHead, Error?> Refuse, Func<StatementWriter> Create)
{
    public static IReadOnlyList<StatementFormat> All { get; } =
        [CsvStatementWriter.Format, JsonStatementWriter.Format, OfxStatementWriter.Format, CamtStatementWriter.Format];

    public static StatementFormat? Find(string? name) => All.FirstOrDefault(format => format.Name == name);

    public static string Names => string.Join(", ", All.Select(format => format.Name));
}

/// <summary>
/// Writes one statement into memory, piece by piece; <see cref="DrainAsync"/> moves what there is to where it belongs. So
/// the writers are plain code without waiting, and a statement of any length takes the memory of one piece.
/// </summary>
internal abstract class StatementWriter : IDisposable
{
    protected MemoryStream Output { get; } = new();

    public abstract void Begin(StatementHead head);

    /// <summary>Oldest first. Whether an entry that only holds is shown is the form's own matter.</summary>
    public abstract void Write(StatementEntry entry);

    public abstract void End();

    public async ValueTask DrainAsync(Stream destination, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(destination);
        await destination.WriteAsync(Pending(), cancellationToken);
        await destination.FlushAsync(cancellationToken);
        Forget();
    }

    /// <summary>What was written since it was last forgotten; valid until then.</summary>
    internal ReadOnlyMemory<byte> Pending()
    {
        Flush();
        return Output.GetBuffer().AsMemory(0, (int)Output.Length);
    }

    internal void Forget() => Output.SetLength(0);

    public void Dispose()
    {
        Dispose(disposing: true);
        GC.SuppressFinalize(this);
    }

    /// <summary>Brings everything written so far into <see cref="Output"/>.</summary>
    protected abstract void Flush();

    protected virtual void Dispose(bool disposing)
    {
        if (disposing)
        {
            Output.Dispose();
        }
    }
}
