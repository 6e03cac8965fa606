using Atrous.ManagedCuda.CUBLAS.Native;

namespace Atrous.ManagedCuda.CUBLAS;

/// <summary>cuBLASLt on one device. May be used by many threads and streams at once.</summary>
public sealed class CudaBlasLt : IDisposable
{
    /// <summary>Opens cuBLASLt in a context.</summary>
    /// <param name="context">The context of the device that computes.</param>
    /// <exception cref="Libraries.CudaLibraryNotFoundException">There is no cuBLASLt.</exception>
    /// <exception cref="CudaBlasException">It refused.</exception>
    public CudaBlasLt(CudaContext context)
    {
        Context = context;
        using (context.Enter())
        {
            BlasLtApi.ThrowIfFailed(BlasLtApi.cublasLtCreate(out nint handle));
            Handle = new BlasLtHandle(handle);
        }
    }

    /// <summary>Its version; kept algorithms are good for this one only.</summary>
    public static Version GetVersion()
    {
        int version = (int)BlasLtApi.cublasLtGetVersion();
        return new Version(version / 10000, version / 100 % 100, version % 100);
    }

    internal CudaContext Context { get; }

    internal BlasLtHandle Handle { get; }

    public void Dispose() => Handle.Dispose();
}
