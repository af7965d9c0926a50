namespace ChatPay.Client.Internal;

/// <summary>What becomes of tasks that perhaps nobody waits for.</summary>
internal static class TaskExtensions
{
    /// <summary>Whoever waits for it sees a failure; where nobody does, there is nobody to tell.</summary>
    public static void MayFailUnseen(this Task task) => _ = task.ContinueWith(
        static failed => failed.Exception, CancellationToken.None,
        TaskContinuationOptions.OnlyOnFaulted | TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default);
}
