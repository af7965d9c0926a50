namespace ChatPay.Server.Ledger.Verify;

/// <summary>One pass over the data: what it looks at, and how far it is.</summary>
/// <param name="expectedRows">About how many rows it will read; null where PostgreSQL has not counted yet.</param>
internal sealed class VerifyStage(string name, long? expectedRows)
{
    private long _rows;

    public string Name => name;

    public long? ExpectedRows => expectedRows;

    public long Rows => Interlocked.Read(ref _rows);

    public void Advance(int rows) => Interlocked.Add(ref _rows, rows);
}
