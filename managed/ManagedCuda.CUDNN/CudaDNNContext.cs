using Atrous.ManagedCuda.CUDNN.Native;

namespace Atrous.ManagedCuda.CUDNN;

/// <summary>
/// cuDNN on one device. It puts work into one stream at a time, so each stream (and each thread) has a context of its
/// own.
/// </summary>
public sealed class CudaDNNContext : IDisposable
{
    /// <summary>Opens cuDNN in a context.</summary>
    /// <param name="context">The context of the device that computes.</param>
    /// <exception cref="Libraries.CudaLibraryNotFoundException">There is no cuDNN 9.</exception>
    /// <exception cref="CudaDNNException">It refused; a part of it may be missing.</exception>
    public CudaDNNContext(CudaContext context)
    {
        Context = context;
        using (context.Enter())
        {
            CudnnApi.ThrowIfFailed(CudnnApi.cudnnCreate(out nint handle));
            Handle = new CudnnHandle(handle);
        }
    }

    internal CudaContext Context { get; }

    internal CudnnHandle Handle { get; }

    /// <summary>cuDNN's version; kept engine choices are good for this one only.</summary>
    public static Version GetVersion()
    {
        int version = (int)CudnnApi.cudnnGetVersion();
        return new Version(version / 10000, version / 100 % 100, version % 100);
    }

    /// <summary>The CUDA version that cuDNN was built with.</summary>
    public static Version GetCudartVersion()
    {
        int version = (int)CudnnApi.cudnnGetCudartVersion();
        return new Version(version / 1000, version % 1000 / 10);
    }

    /// <summary>From here on work goes into this stream, which must not be disposed before.</summary>
    /// <param name="stream">The stream that computes from now on.</param>
    public void SetStream(CudaStream stream) => CudnnApi.ThrowIfFailed(CudnnApi.cudnnSetStream(Handle, stream.Stream));

    public void Dispose() => Handle.Dispose();
}
