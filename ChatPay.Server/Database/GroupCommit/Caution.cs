namespace ChatPay.Server.Database.GroupCommit;

/// <summary>
/// Decides how long to lock first after another node was quicker. Nodes that share busy accounts conflict again and again;
/// each time they lock for twice as many batches, and a node that is left alone forgets it.
/// </summary>
internal sealed class Caution
{
    private const int BatchesMin = 8;
    private const int BatchesMax = 1_024;
    private const int CalmBatches = 256;

    private readonly Lock _lock = new();
    private int _left;
    private int _next = BatchesMin;
    private int _calm;

    /// <summary>Whether the next batch locks first; counts it.</summary>
    public bool TakeOne()
    {
        lock (_lock)
        {
            if (_left == 0)
            {
                return false;
            }

            _left--;
            return true;
        }
    }

    public void Conflicted()
    {
        lock (_lock)
        {
            _left = _next;
            _next = Math.Min(_next * 2, BatchesMax);
            _calm = 0;
        }
    }

    /// <summary>A batch was committed that had not locked first.</summary>
    public void Succeeded()
    {
        lock (_lock)
        {
            if (++_calm >= CalmBatches)
            {
                _next = BatchesMin;
            }
        }
    }
}
