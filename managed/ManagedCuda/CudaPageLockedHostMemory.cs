using System.Runtime.CompilerServices;
using Atrous.ManagedCuda.Native;

namespace Atrous.ManagedCuda;

/// <summary>
/// Host memory that the device copies from and to by itself, so that copies run beside the host's work.
/// </summary>
/// <typeparam name="T">Element type.</typeparam>
public sealed class CudaPageLockedHostMemory<T> : IDisposable
    where T : unmanaged
{
    private readonly HostMemoryHandle _handle;

    /// <summary>Allocates pinned memory; contents are undefined.</summary>
    /// <param name="context">The context that the memory is allocated in.</param>
    /// <param name="size">The number of elements, at least 1 and at most <see cref="int.MaxValue"/>.</param>
    /// <param name="flags">What it is for.</param>
    public CudaPageLockedHostMemory(
        CudaContext context, int size, CUMemHostAllocFlags flags = CUMemHostAllocFlags.Portable)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(size);
        Size = size;
        using (context.Enter())
        {
            DriverApi.ThrowIfFailed(DriverApi.cuMemHostAlloc(out nint pointer, (nuint)SizeInBytes, flags));
            _handle = new HostMemoryHandle(context.Handle, pointer);
        }
    }

    /// <summary>Elements.</summary>
    public int Size { get; }

    public long SizeInBytes => (long)Size * Unsafe.SizeOf<T>();

    /// <summary>Where it starts.</summary>
    /// <exception cref="ObjectDisposedException">The memory is freed.</exception>
    public nint PinnedHostPointer => _handle.Value;

    /// <summary>The elements; the span must not outlive this object.</summary>
    public unsafe Span<T> Span => new((void*)PinnedHostPointer, Size);

    public void Dispose() => _handle.Dispose();
}
