using Atrous.Tensors;

namespace Atrous.Tests.Tensors;

/// <summary>Memory outside the collector's heap.</summary>
public sealed unsafe class NativeBufferTests
{
    [Fact]
    public void A_large_block_is_used_again_by_the_next_that_fits()
    {
        const long size = 5L << 20;
        NativeBuffer.ReleaseIdle();
        nint first;
        using (var buffer = new NativeBuffer(size, reused: true))
        {
            first = (nint)buffer.Pointer;
            new Span<byte>(buffer.Pointer, (int)size).Fill(1);
        }
        using var next = new NativeBuffer(size + 1000, reused: true);
        Assert.Equal(first, (nint)next.Pointer);
        Assert.Equal(size + 1000, next.SizeInBytes);
        new Span<byte>(next.Pointer, (int)next.SizeInBytes).Fill(2);
        using var other = new NativeBuffer(size, reused: true);
        Assert.NotEqual((nint)next.Pointer, (nint)other.Pointer);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(100)]
    [InlineData(4L << 20)]
    public void It_is_aligned_and_counted(long size)
    {
        long before = NativeBuffer.LiveCount;
        using (var buffer = new NativeBuffer(size, reused: true))
        {
            Assert.Equal(0, (nint)buffer.Pointer % 64);
            Assert.InRange(NativeBuffer.LiveCount, 1, before + 1);
        }
        Assert.InRange(NativeBuffer.LiveCount, 0, before);
    }

    [Fact]
    public void What_no_system_has_is_too_much() =>
        Assert.Throws<OutOfMemoryException>(() => new NativeBuffer(long.MaxValue, reused: true).Dispose());
}
