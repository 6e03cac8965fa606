namespace Atrous.ManagedCuda.CUDNN;

/// <summary>What a call of cuDNN 9 returns, by its numbers; the thousands tell the kind.</summary>
public enum CudnnStatus
{
    Success = 0,
    NotInitialized = 1001,
    SublibraryVersionMismatch = 1002,
    SerializationVersionMismatch = 1003,
    SublibraryLoadingFailed = 1008,
    BadParam = 2000,
    BadParamNullPointer = 2002,
    BadParamMisalignedPointer = 2003,
    BadParamNotFinalized = 2004,
    BadParamOutOfBound = 2005,
    BadParamSizeInsufficient = 2006,
    BadParamStreamMismatch = 2007,
    BadParamShapeMismatch = 2008,
    BadParamDuplicatedEntries = 2009,
    BadParamAttributeType = 2010,
    BadParamDescriptorType = 2012,
    NotSupported = 3000,
    NotSupportedGraphPattern = 3001,
    NotSupportedShape = 3002,
    NotSupportedDataType = 3003,
    NotSupportedLayout = 3004,
    NotSupportedArchMismatch = 3007,

    /// <summary>A library that cuDNN needs is not to be found: NVRTC, its builtins, the driver.</summary>
    NotSupportedRuntimePrerequisiteMissing = 3008,

    /// <summary>A library of cuDNN's own is not there.</summary>
    NotSupportedSublibraryUnavailable = 3009,
    InternalError = 4000,
    InternalErrorCompilationFailed = 4001,
    ExecutionFailed = 5000,
}

/// <summary>
/// A call into cuDNN that failed: the message names the call, the status and cuDNN's own words for the failure.
/// </summary>
public sealed class CudaDNNException : Exception
{
    internal CudaDNNException(CudnnStatus status, string call, string name, string text)
        : base($"{call} failed with {name} ({(int)status}){(text.Length > 0 ? $": {text}" : "")}.")
    {
        CudnnError = status;
        Call = call;
    }

    public CudnnStatus CudnnError { get; }

    /// <summary>The entry point that failed.</summary>
    public string Call { get; }

    /// <summary>Whether cuDNN understood the request and cannot do it, so that another engine may.</summary>
    public bool IsNotSupported => (int)CudnnError / 1000 == 3;
}
