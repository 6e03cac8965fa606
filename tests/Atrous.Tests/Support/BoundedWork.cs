namespace Atrous.Tests.Support;

/// <summary>
/// Work whose memory is judged by what its thread allocates, which no other work on the machine changes.
/// </summary>
internal static class BoundedWork
{
    /// <summary>What keeps its reader busy for ever ends the test; no slow machine needs so long.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(3);

    public static T Run<T>(Func<T> work, long mostBytes)
    {
        Task<(T Result, long Allocated)> run = Task.Factory.StartNew(
            () =>
            {
                long before = GC.GetAllocatedBytesForCurrentThread();
                T result = work();
                return (result, GC.GetAllocatedBytesForCurrentThread() - before);
            },
            CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);
        Assert.True(run.Wait(Patience, CancellationToken.None), $"It had not ended after {Patience}.");
        Assert.InRange(run.Result.Allocated, 0, mostBytes);
        return run.Result.Result;
    }
}
