namespace Atrous.ManagedCuda.CUBLAS;

/// <summary>What a call of cuBLASLt returns, by its numbers.</summary>
public enum CublasStatus
{
    Success = 0,
    NotInitialized = 1,
    AllocFailed = 3,
    InvalidValue = 7,
    ArchMismatch = 8,
    MappingError = 11,
    ExecutionFailed = 13,
    InternalError = 14,
    NotSupported = 15,
    LicenseError = 16,
}

/// <summary>Element types of matrices, by cuBLAS's numbers.</summary>
public enum CudaDataType
{
    Real32F = 0,
    Real16F = 2,
    Real16BF = 14,
}

/// <summary>How products are computed, by cuBLAS's numbers. All accumulate in 32-bit floats.</summary>
public enum ComputeType
{
    /// <summary>Inputs as they are.</summary>
    Compute32F = 68,

    /// <summary>32-bit inputs are rounded to TF32 (10 bits of fraction).</summary>
    Compute32FFastTF32 = 77,
}

/// <summary>Whether a matrix is transposed first, by cuBLAS's numbers.</summary>
public enum Operation
{
    NonTranspose = 0,
    Transpose = 1,
}

/// <summary>What is done to a product before it is stored, by cuBLASLt's numbers.</summary>
public enum Epilogue
{
    Default = 1,

    /// <summary>max(x, 0).</summary>
    Relu = 2,

    /// <summary>A vector of one value a row of D is added.</summary>
    Bias = 4,

    /// <summary>Bias, then ReLU.</summary>
    ReluBias = 6,
}

/// <summary>A call into cuBLASLt that failed: the message names the call and the error.</summary>
public sealed class CudaBlasException : Exception
{
    internal CudaBlasException(CublasStatus status, string call, string name, string text)
        : base($"{call} failed with {name} ({(int)status}): {text}.")
    {
        CudaBlasError = status;
        Call = call;
    }

    public CublasStatus CudaBlasError { get; }

    /// <summary>The entry point that failed.</summary>
    public string Call { get; }
}
