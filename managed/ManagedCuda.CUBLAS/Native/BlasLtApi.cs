using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Atrous.ManagedCuda.Libraries;

namespace Atrous.ManagedCuda.CUBLAS.Native;

/// <summary>The entry points of cuBLASLt, whose names and layouts are the same in CUDA 12 and 13.</summary>
internal static unsafe partial class BlasLtApi
{
    private const string Library = "cublasLt";

    static BlasLtApi() => CudaLibraryProbe.Serve(typeof(BlasLtApi).Assembly, CudaLibraryName.BlasLt);

    public static void ThrowIfFailed(CublasStatus status, [CallerArgumentExpression(nameof(status))] string call = "")
    {
        if (status == CublasStatus.Success)
            return;
        string name = call[..call.IndexOf('(', StringComparison.Ordinal)];
        throw new CudaBlasException(
            status, name[(name.LastIndexOf('.') + 1)..], Marshal.PtrToStringUTF8((nint)cublasLtGetStatusName(status))
            ?? "cuBLAS status",
            Marshal.PtrToStringUTF8((nint)cublasLtGetStatusString(status)) ?? "cuBLAS has no words for it");
    }

    [LibraryImport(Library)]
    public static partial nuint cublasLtGetVersion();

    [LibraryImport(Library)]
    private static partial byte* cublasLtGetStatusName(CublasStatus status);

    [LibraryImport(Library)]
    private static partial byte* cublasLtGetStatusString(CublasStatus status);

    [LibraryImport(Library)]
    public static partial CublasStatus cublasLtCreate(out nint handle);

    [LibraryImport(Library)]
    public static partial CublasStatus cublasLtDestroy(nint handle);

    [LibraryImport(Library)]
    public static partial CublasStatus cublasLtMatmulDescCreate(
        out nint descriptor, ComputeType compute, CudaDataType scale);

    [LibraryImport(Library)]
    public static partial CublasStatus cublasLtMatmulDescDestroy(nint descriptor);

    [LibraryImport(Library)]
    public static partial CublasStatus cublasLtMatmulDescSetAttribute(
        MatmulDescHandle descriptor, MatmulDescAttribute attribute, void* value, nuint bytes);

    [LibraryImport(Library)]
    public static partial CublasStatus cublasLtMatrixLayoutCreate(
        out nint layout, CudaDataType type, ulong rows, ulong columns, long leadingDimension);

    [LibraryImport(Library)]
    public static partial CublasStatus cublasLtMatrixLayoutDestroy(nint layout);

    [LibraryImport(Library)]
    public static partial CublasStatus cublasLtMatmulPreferenceCreate(out nint preference);

    [LibraryImport(Library)]
    public static partial CublasStatus cublasLtMatmulPreferenceDestroy(nint preference);

    [LibraryImport(Library)]
    public static partial CublasStatus cublasLtMatmulPreferenceSetAttribute(
        MatmulPreferenceHandle preference, MatmulPreferenceAttribute attribute, void* value, nuint bytes);

    [LibraryImport(Library)]
    public static partial CublasStatus cublasLtMatmulAlgoGetHeuristic(
        BlasLtHandle handle, MatmulDescHandle descriptor, MatrixLayoutHandle a, MatrixLayoutHandle b,
        MatrixLayoutHandle c, MatrixLayoutHandle d,
        MatmulPreferenceHandle preference, int requested, MatmulHeuristicResult* results, out int returned);

    [LibraryImport(Library)]
    public static partial CublasStatus cublasLtMatmulAlgoCheck(
        BlasLtHandle handle, MatmulDescHandle descriptor, MatrixLayoutHandle a, MatrixLayoutHandle b,
        MatrixLayoutHandle c, MatrixLayoutHandle d,
        MatmulAlgorithmBlob* algorithm, MatmulHeuristicResult* result);

    [LibraryImport(Library)]
    public static partial CublasStatus cublasLtMatmul(
        BlasLtHandle handle, MatmulDescHandle descriptor, void* alpha, CUdeviceptr a, MatrixLayoutHandle layoutOfA,
        CUdeviceptr b, MatrixLayoutHandle layoutOfB,
        void* beta, CUdeviceptr c, MatrixLayoutHandle layoutOfC, CUdeviceptr d, MatrixLayoutHandle layoutOfD,
            MatmulAlgorithmBlob* algorithm,
        CUdeviceptr workspace, nuint workspaceBytes, CUstream stream);
}

/// <summary>Attributes of a product, by cuBLASLt's numbers.</summary>
internal enum MatmulDescAttribute
{
    TransA = 3,
    TransB = 4,
    Epilogue = 7,
    BiasPointer = 8,
}

/// <summary>Attributes of a preference, by cuBLASLt's numbers.</summary>
internal enum MatmulPreferenceAttribute
{
    MaxWorkspaceBytes = 1,
    ReductionSchemeMask = 3,
    MinAlignmentA = 5,
    MinAlignmentB = 6,
    MinAlignmentC = 7,
    MinAlignmentD = 8,
}

/// <summary>
/// How the parts of a sum that is split over multiprocessors are added up, by cuBLASLt's numbers; a mask allows
/// several. The others, INPLACE (1) and OUTPUT_TYPE (4), round each part to the type of the result.
/// </summary>
[Flags]
internal enum ReductionSchemes : uint
{
    /// <summary>In the type of the sums, 32-bit floats.</summary>
    ComputeType = 2,
}

/// <summary>cublasLtMatmulAlgo_t: 64 bytes that may be kept and given to the same version again.</summary>
[InlineArray(8)]
internal struct MatmulAlgorithmBlob
{
    private ulong _first;
}

/// <summary>cublasLtMatmulHeuristicResult_t.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct MatmulHeuristicResult
{
    public MatmulAlgorithmBlob Algorithm;
    public nuint WorkspaceSize;
    public CublasStatus State;
    public float WavesCount;
    public ReservedInts Reserved;

    [InlineArray(4)]
    internal struct ReservedInts
    {
        private int _first;
    }
}

internal abstract class BlasLtObject : SafeHandle
{
    protected BlasLtObject(nint value)
        : base(0, ownsHandle: true) => SetHandle(value);

    public override bool IsInvalid => handle == 0;
}

internal sealed class BlasLtHandle(nint value) : BlasLtObject(value)
{
    protected override bool ReleaseHandle() => BlasLtApi.cublasLtDestroy(handle) == CublasStatus.Success;
}

internal sealed class MatmulDescHandle(nint value) : BlasLtObject(value)
{
    protected override bool ReleaseHandle() => BlasLtApi.cublasLtMatmulDescDestroy(handle) == CublasStatus.Success;
}

internal sealed class MatrixLayoutHandle(nint value) : BlasLtObject(value)
{
    protected override bool ReleaseHandle() => BlasLtApi.cublasLtMatrixLayoutDestroy(handle) == CublasStatus.Success;
}

internal sealed class MatmulPreferenceHandle(nint value) : BlasLtObject(value)
{
    protected override bool ReleaseHandle() =>
        BlasLtApi.cublasLtMatmulPreferenceDestroy(handle) == CublasStatus.Success;
}
