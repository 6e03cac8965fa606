using System.Collections.Concurrent;
using Atrous.ManagedCuda;
using Atrous.ManagedCuda.CUBLAS;
using Atrous.ManagedCuda.CUDNN;

namespace Atrous.Backends.Cuda;

/// <summary>
/// A GPU with all that is opened on it once: its primary context, our kernels, cuDNN and cuBLASLt. Launching is safe
/// from many threads; cuDNN's contexts belong to who holds <see cref="Setup"/>.
/// </summary>
internal sealed unsafe class CudaDevice : IDisposable
{
    private readonly ConcurrentDictionary<string, CudaModule> _modules = [];
    private readonly ConcurrentDictionary<KernelSignature, CudaKernel> _kernels = [];
    private readonly Lock _allocating = new();
    private readonly List<CudaDNNContext> _lanes = [];
    private long _bytes, _peakBytes;

    /// <summary>Opens a device.</summary>
    /// <param name="id">The n of "cuda:n".</param>
    /// <param name="memoryLimit">The most bytes of its memory that are taken; null for all that there are.</param>
    /// <exception cref="UnavailableException">The device, its driver or a library cannot be used.</exception>
    public CudaDevice(int id, long? memoryLimit = null)
    {
        Name = $"cuda:{id}";
        MemoryLimit = memoryLimit;
        try
        {
            Context = new PrimaryContext(id);
            Dnn = new CudaDNNContext(Context);
            Blas = new CudaBlasLt(Context);
            Properties = Context.GetDeviceInfo();
        }
        catch (Exception e) when (CudaFailure.IsOne(e))
        {
            Dispose();
            throw new UnavailableException($"The device {Name} cannot be used: {e.Message.TrimEnd('.')}.");
        }
    }

    /// <summary>"cuda:0".</summary>
    public string Name { get; }

    public CudaContext Context { get; } = null!;

    public CudaDeviceProperties Properties { get; } = null!;

    public CudaDNNContext Dnn { get; } = null!;

    /// <summary>It is given a stream and a workspace with each product, and has no state of its own.</summary>
    public CudaBlasLt Blas { get; } = null!;

    /// <summary>Held while networks are planned and captured, which is one thread's work at a time.</summary>
    public Lock Setup { get; } = new();

    /// <summary>The most bytes of device memory that are taken; null for all that there are.</summary>
    public long? MemoryLimit { get; }

    /// <summary>
    /// The context of cuDNN's for a lane of captured runs, opened with the first step that uses it: one may have
    /// streams and memory of its own, which would order the lanes of a graph, or let them race. Plans run on any of
    /// them.
    /// </summary>
    public CudaDNNContext DnnOf(int lane)
    {
        if (lane == 0)
            return Dnn;
        while (_lanes.Count < lane)
            _lanes.Add(new CudaDNNContext(Context));
        return _lanes[lane - 1];
    }

    /// <summary>Bytes that blocks hold.</summary>
    public long UsedBytes => Interlocked.Read(ref _bytes);

    /// <summary>The failure that ended the device's context; null while it works.</summary>
    public CudaException? Lost()
    {
        try
        {
            Context.Synchronize();
            return null;
        }
        catch (CudaException e)
        {
            return CudaFailure.IsLasting(e) ? e : null;
        }
    }

    /// <summary>
    /// A library's failure may be the device's, which no other engine makes good: then this throws what the driver
    /// says.
    /// </summary>
    /// <exception cref="CudaException">The context has ended.</exception>
    public void ThrowIfLost()
    {
        if (Lost() is { } lost)
            throw lost;
    }

    /// <summary>Puts a launch into a stream; the context is current.</summary>
    public void Launch(KernelLaunch launch, CudaStream stream)
    {
        CudaKernel kernel =
            _kernels.GetOrAdd(launch.Kernel, static (signature, device) => device.Load(signature), this);
        kernel.RunAsync(
            stream, new dim3(launch.GridX, launch.GridY), new dim3((uint)launch.Kernel.BlockSize), launch.Parameters);
        GC.KeepAlive(launch);
    }

    /// <summary>The most bytes that blocks have held at one time.</summary>
    public long PeakBytes => Interlocked.Read(ref _peakBytes);

    /// <summary>Device memory, with a failure that says how much there is.</summary>
    /// <param name="bytes">At least 1 is taken.</param>
    /// <param name="purpose">"the weights", "a picture of 513x513".</param>
    /// <exception cref="MemoryException">There is not so much.</exception>
    public DeviceBlock Allocate(long bytes, string purpose)
    {
        // One after the other, so that a limit holds.
        lock (_allocating)
        {
            if (MemoryLimit is { } limit && UsedBytes + bytes > limit)
                throw new CudaMemoryException(this, bytes, purpose, limit);
            try
            {
                var block = new DeviceBlock(this, bytes);
                Count(block.Memory.SizeInBytes);
                return block;
            }
            catch (CudaException e) when (e.CudaError == CUResult.ErrorOutOfMemory)
            {
                throw new CudaMemoryException(this, bytes, purpose, e);
            }
        }
    }

    /// <summary>Pinned memory of the host.</summary>
    /// <exception cref="MemoryException">There is not so much.</exception>
    public CudaPageLockedHostMemory<byte> Pin(long bytes, string purpose)
    {
        if (bytes > int.MaxValue)
        {
            throw new MemoryException(
                $"{purpose} takes {bytes >> 20} MiB in one piece, and 2048 can be sent; use a smaller batch or a " +
                $"sliding window.")
            {
                Remedy = Remedy.SlideWindow,
            };
        }
        try
        {
            return new CudaPageLockedHostMemory<byte>(Context, (int)Math.Max(bytes, 1));
        }
        catch (CudaException e) when (e.CudaError == CUResult.ErrorOutOfMemory)
        {
            throw new MemoryException(
                $"The {Math.Max(bytes >> 20, 1)} MiB of pinned host memory for {purpose} cannot be had; use a " +
                $"smaller batch, or free memory.", e);
        }
    }

    /// <summary>Blocks came or went.</summary>
    public void Count(long bytes)
    {
        long now = Interlocked.Add(ref _bytes, bytes), peak;
        while (now > (peak = PeakBytes) && Interlocked.CompareExchange(ref _peakBytes, now, peak) != peak)
        {
        }
    }

    public void Dispose()
    {
        foreach (CudaModule module in _modules.Values)
            module.Dispose();
        Blas?.Dispose();
        _lanes.ForEach(lane => lane.Dispose());
        Dnn?.Dispose();
        Context?.Dispose();
    }

    private CudaKernel Load(KernelSignature signature)
    {
        lock (_modules)
        {
            CudaModule module = _modules.GetOrAdd(
                signature.Module, static (name, context) => new CudaModule(context, Kernels.Ptx(name)), Context);
            return module.GetKernel(signature.Name);
        }
    }
}

/// <summary>Device memory that is counted.</summary>
internal sealed class DeviceBlock(CudaDevice device, long bytes) : IDisposable
{
    private bool _disposed;

    public CudaDeviceVariable<byte> Memory { get; } = new(device.Context, Math.Max(bytes, 1));

    public void Dispose()
    {
        if (_disposed)
            return;
        _disposed = true;
        device.Count(-Memory.SizeInBytes);
        Memory.Dispose();
    }
}
