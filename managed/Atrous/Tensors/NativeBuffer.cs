using System.Runtime.InteropServices;

namespace Atrous.Tensors;

/// <summary>
/// Uninitialised memory outside the garbage-collected heap, aligned to 64 bytes (a cache line, an AVX-512 vector).
/// The holder frees it with <see cref="SafeHandle.Dispose()"/>; the finalizer does otherwise.
/// </summary>
internal sealed unsafe class NativeBuffer : SafeHandle
{
    private static long _live;

    /// <summary>The bytes of the largest block that this thread has asked for. For tests of what is held.</summary>
    [ThreadStatic]
    internal static long LargestOfThread;

    /// <summary>Allocates <paramref name="sizeInBytes"/> bytes.</summary>
    /// <exception cref="OutOfMemoryException">The system has no such block to give.</exception>
    public NativeBuffer(long sizeInBytes)
        : base(0, ownsHandle: true)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(sizeInBytes);
        SetHandle((nint)NativeMemory.AlignedAlloc((nuint)Math.Max(sizeInBytes, 1), 64));
        SizeInBytes = sizeInBytes;
        LargestOfThread = Math.Max(LargestOfThread, sizeInBytes);
        Interlocked.Increment(ref _live);
    }

    /// <summary>Buffers not yet freed, in the whole process. For leak checks.</summary>
    public static long LiveCount => Interlocked.Read(ref _live);

    public long SizeInBytes { get; }

    public override bool IsInvalid => handle == 0;

    /// <summary>The first byte. Valid until the buffer is disposed.</summary>
    public byte* Pointer => IsClosed ? throw new ObjectDisposedException(nameof(NativeBuffer)) : (byte*)handle;

    protected override bool ReleaseHandle()
    {
        NativeMemory.AlignedFree((void*)handle);
        Interlocked.Decrement(ref _live);
        return true;
    }
}
