namespace Atrous.Backends.Cpu;

/// <summary>
/// Runs that need a large part of the machine's memory go on one at a time: what fits once may not fit twice, and such
/// a run keeps all cores busy by itself.
/// </summary>
internal static class LargeRuns
{
    // As many as go on at a time then take a quarter of it.
    private static readonly long _large = GC.GetGCMemoryInfo().TotalAvailableMemoryBytes / 16;
    private static readonly SemaphoreSlim _one = new(1);

    /// <summary>Waits until a run of so many bytes may begin. Dispose what it gives when the run has ended.</summary>
    /// <param name="bytes">The size of the run's arena.</param>
    /// <param name="cancellationToken">Is looked at while the run waits.</param>
    public static Turn Wait(long bytes, CancellationToken cancellationToken)
    {
        if (bytes <= _large)
            return default;
        _one.Wait(cancellationToken);
        return new Turn(true);
    }

    /// <summary>A run's time.</summary>
    internal readonly ref struct Turn(bool isLarge)
    {
        public void Dispose()
        {
            if (isLarge)
                _one.Release();
        }
    }
}
