using System.Diagnostics;
using ChatPay.Core.Protocol;

namespace ChatPay.Server.Database.GroupCommit;

/// <summary>
/// One durable command on its way through the write path: it names the rows it needs, is decided in memory once they are
/// loaded and locked, and its caller is answered after the commit.
/// </summary>
internal abstract class WriteCommand : IThreadPoolWorkItem
{
    /// <summary>The traced call that it was made in; null while nobody listens.</summary>
    public Activity? Call { get; } = CommitSpan.Call;

    /// <summary>
    /// Where it locks rows: its conversation. Commands of other places may go beside it. Null where that cannot be told: then
    /// nothing goes beside it that locks.
    /// </summary>
    public virtual Guid? Place => null;

    /// <summary>Names the rows to load, by calling <c>Need…</c> on the participants' rows in <paramref name="set"/>.</summary>
    public abstract void Declare(WriteSet set);

    /// <summary>
    /// Decides with pure code from Core against the loaded rows and leaves the changes there. Called again on a
    /// retry with freshly loaded rows, so it keeps nothing but its outcome.
    /// </summary>
    public abstract void Decide(WriteSet set);

    /// <summary>Answers the caller with the outcome of the last <see cref="Decide"/>; the batch is committed.</summary>
    public abstract void Execute();

    /// <summary>Answers the caller when the batch could not be committed; nothing was changed.</summary>
    internal abstract void Fail(Error error);
}

/// <summary>A command with an answer of type <typeparamref name="T"/>.</summary>
internal abstract class WriteCommand<T> : WriteCommand
{
    /// <summary>The caller goes on in the work item that answers it.</summary>
    private readonly TaskCompletionSource<Result<T>> _completion = new();

    private Result<T>? _outcome;

    public Task<Result<T>> Completion => _completion.Task;

    public sealed override void Decide(WriteSet set) => _outcome = DecideOutcome(set);

    protected abstract Result<T> DecideOutcome(WriteSet set);

    public sealed override void Execute() =>
        _completion.TrySetResult(_outcome ?? throw new InvalidOperationException("Completed before it was decided."));

    internal sealed override void Fail(Error error) => ThreadPool.UnsafeQueueUserWorkItem(
        static to => to.Completion.TrySetResult(to.Error), (Completion: _completion, Error: error), preferLocal: false);
}
