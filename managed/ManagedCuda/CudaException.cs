namespace Atrous.ManagedCuda;

/// <summary>
/// A call into the CUDA driver that failed: the message names the call, the error and the driver's words for it.
/// </summary>
public sealed class CudaException : Exception
{
    internal CudaException(CUResult error, string call, string name, string text, string? log = null)
        : base($"{call} failed with {name} ({(int)error}): " +
        $"{text}{(string.IsNullOrWhiteSpace(log) ? "." : $"; the driver's log says: {log.Trim()}")}")
    {
        CudaError = error;
        Call = call;
        ErrorName = name;
        Log = log;
    }

    /// <summary>The driver's code.</summary>
    public CUResult CudaError { get; }

    /// <summary>The entry point that failed, "cuMemAlloc_v2".</summary>
    public string Call { get; }

    /// <summary>As the driver names it, "CUDA_ERROR_OUT_OF_MEMORY".</summary>
    public string ErrorName { get; }

    /// <summary>What the driver's compiler wrote, if the call compiled something.</summary>
    public string? Log { get; }
}
