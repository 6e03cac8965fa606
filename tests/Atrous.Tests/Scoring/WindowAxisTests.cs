using Atrous.Scoring;

namespace Atrous.Tests.Scoring;

/// <summary>Where windows lie, and that they share every pixel out exactly.</summary>
public sealed class WindowAxisTests
{
    [Theory]
    [InlineData(1, 513, 0.33)]
    [InlineData(512, 513, 0.33)]
    [InlineData(513, 513, 0.33)]
    [InlineData(514, 513, 0.33)]
    [InlineData(2049, 513, 0.33)]
    [InlineData(6000, 513, 0)]
    [InlineData(1000, 97, 0.9)]
    [InlineData(999, 32, 0.5)]
    public void Windows_cover_the_side_and_their_weights_sum_to_one(int length, int size, double overlap)
    {
        var window = new SlidingWindow(size, overlap);
        var axis = new WindowAxis(length, window);
        Assert.Equal(Math.Min(size, length), axis.Size);
        Assert.Equal(0, axis.Starts[0]);
        Assert.Equal(length, axis.Starts[^1] + axis.Size);
        var sums = new double[length];
        for (int i = 0; i < axis.Starts.Count; i++)
        {
            if (i > 0)
                Assert.InRange(axis.Starts[i] - axis.Starts[i - 1], 1, window.Stride);
            for (int at = 0; at < axis.Size; at++)
            {
                Assert.True(axis.Weights(i)[at] > 0);
                sums[axis.Starts[i] + at] += axis.Weights(i)[at];
            }
        }
        Assert.All(sums, sum => Assert.Equal(1, sum, 1e-5));
    }

    /// <summary>
    /// mmsegmentation: max(length - size + stride - 1, 0) // stride + 1 windows, the last shifted back.
    /// </summary>
    [Fact]
    public void Windows_lie_as_in_mmsegmentation()
    {
        var axis = new WindowAxis(1025, new SlidingWindow(512, 0.5));
        Assert.Equal([0, 256, 512, 513], axis.Starts);
        Assert.Equal([0], new WindowAxis(300, new SlidingWindow(512, 0.5)).Starts);
    }

    /// <summary>A server's own windows slide over whatever pictures come.</summary>
    [Fact]
    public void A_long_side_in_small_windows_takes_little_memory()
    {
        const int length = 32_000_000;
        long before = GC.GetAllocatedBytesForCurrentThread();
        var axis = new WindowAxis(length, new SlidingWindow(32, 0.33));
        float sum = 0;
        for (int i = 0; i < axis.Starts.Count; i++)
            sum += axis.Weights(i)[0];
        // A number for each of two million windows, and hardly more.
        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, axis.Starts.Count, 32 << 20);
        Assert.True(sum > 1);
        Assert.True(axis.Weights(1000) == axis.Weights(1_000_000));
        Assert.InRange(axis.DistinctWindows, 1, 10);
    }

    [Fact]
    public void What_cannot_slide_is_refused()
    {
        Assert.Throws<ArgumentOutOfRangeException>(() => new SlidingWindow(31));
        Assert.Throws<ArgumentOutOfRangeException>(() => new SlidingWindow(513, -0.1));
        Assert.Throws<ArgumentOutOfRangeException>(() => new SlidingWindow(513, 0.91));
        Assert.Throws<ArgumentOutOfRangeException>(() => new SlidingWindow(513, double.NaN));
        Assert.Throws<ArgumentException>(() => new TestTimeAugmentation([], flip: true));
        Assert.Throws<ArgumentException>(() => new TestTimeAugmentation([1, double.NaN], flip: false));
        Assert.Throws<ArgumentException>(() => new TestTimeAugmentation([5], flip: false));
    }
}
