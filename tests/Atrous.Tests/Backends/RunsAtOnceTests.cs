using Atrous.Backends.Cpu;

namespace Atrous.Tests.Backends;

/// <summary>Runs on the processor that go on at a time.</summary>
public sealed class RunsAtOnceTests
{
    [Theory]
    [InlineData(1, 1)]
    [InlineData(2, 2)]
    [InlineData(3, 3)]
    [InlineData(9, 4)]
    public void As_many_as_threads_up_to_four(int threads, int expected)
    {
        using var backend = new CpuBackend(threads);
        Assert.Equal((expected, 1), (backend.RunsAtOnce, backend.RunsToWarmUp));
    }

    [Fact]
    public void What_takes_much_of_the_memory_waits_for_its_like()
    {
        using var waited = new ManualResetEventSlim();
        var second = new Thread(() =>
        {
            using LargeRuns.Turn turn = LargeRuns.Wait(long.MaxValue, CancellationToken.None);
            waited.Set();
        });
        using (LargeRuns.Wait(long.MaxValue, CancellationToken.None))
        {
            second.Start();
            // Small ones go on beside it, and who is cancelled waits no longer.
            LargeRuns.Wait(1 << 20, CancellationToken.None).Dispose();
            using var cancelled = new CancellationTokenSource(TimeSpan.FromMilliseconds(20));
            Assert.ThrowsAny<OperationCanceledException>(() => Wait(cancelled.Token));
            Assert.False(waited.IsSet);
        }
        Assert.True(waited.Wait(TimeSpan.FromMinutes(1)));
        second.Join();

        static void Wait(CancellationToken cancellationToken) =>
            LargeRuns.Wait(long.MaxValue, cancellationToken).Dispose();
    }
}
