using System.Runtime.InteropServices;
using Atrous.Native;

namespace Atrous.Tensors;

/// <summary>
/// Uninitialised memory outside the garbage-collected heap, aligned to 64 bytes (a cache line, an AVX-512 vector).
/// The holder frees it with <see cref="SafeHandle.Dispose()"/>; the finalizer does otherwise. Of large blocks that
/// are reused, which are libatrous's, up to 256 MiB are kept for the next.
/// </summary>
internal sealed unsafe class NativeBuffer : SafeHandle
{
    /// <summary>
    /// Bytes of the least block that is kept. Blocks are multiples of 2 MiB, which would waste much of smaller ones.
    /// </summary>
    private const long Large = 4L << 20;

    private static long _live;

    /// <summary>What a large block holds, which may be more than was asked for; 0 for the others.</summary>
    private readonly long _kept;

    /// <summary>The bytes of the largest block that this thread has asked for. For tests of what is held.</summary>
    [ThreadStatic]
    internal static long LargestOfThread;

    /// <summary>Allocates <paramref name="sizeInBytes"/> bytes.</summary>
    /// <param name="sizeInBytes">The number of bytes.</param>
    /// <param name="reused">
    /// A large block stays with the process when it is freed: for what comes with every picture. Whoever holds it sees
    /// to it that the system has the memory back in the end.
    /// </param>
    /// <exception cref="OutOfMemoryException">The system has no such block to give.</exception>
    public NativeBuffer(long sizeInBytes, bool reused = false)
        : base(0, ownsHandle: true)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(sizeInBytes);
        nint block = 0;
        long kept = 0;
        // Where there is no such block, the other says so.
        if (reused && sizeInBytes >= Large && LibAtrous.TakeBlock(sizeInBytes, &block, &kept) == AtrousStatus.Ok)
            _kept = kept;
        else
            block = (nint)NativeMemory.AlignedAlloc((nuint)Math.Max(sizeInBytes, 1), 64);
        SetHandle(block);
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

    /// <summary>Gives what is kept for the next back to the system, a CRF's memory too.</summary>
    public static void ReleaseIdle() => LibAtrous.ReleaseIdleMemory();

    protected override bool ReleaseHandle()
    {
        if (_kept == 0)
            NativeMemory.AlignedFree((void*)handle);
        else
            LibAtrous.GiveBackBlock(handle, _kept);
        Interlocked.Decrement(ref _live);
        return true;
    }
}
