using System.Runtime.InteropServices;
using Atrous.ManagedCuda.CUBLAS.Native;

namespace Atrous.ManagedCuda.CUBLAS;

/// <summary>A matrix in column-major order, as cuBLAS counts: element (r, c) is at r + c * LeadingDimension.</summary>
/// <param name="Type">The type of the elements.</param>
/// <param name="Rows">The number of rows as stored, before any transposition.</param>
/// <param name="Columns">The number of columns as stored, before any transposition.</param>
/// <param name="LeadingDimension">
/// The number of elements from a column to the next, at least <paramref name="Rows"/>.
/// </param>
public readonly record struct MatrixLayout(CudaDataType Type, long Rows, long Columns, long LeadingDimension);

/// <summary>What a product computes: D = epilogue(alpha * op(A) * op(B) + beta * C + bias).</summary>
/// <param name="Compute">The type of the sums, and whether 32-bit inputs are rounded to TF32.</param>
/// <param name="A">The first factor, as stored.</param>
/// <param name="TransposeA">Whether op(A) is its transpose.</param>
/// <param name="B">The second factor, as stored.</param>
/// <param name="TransposeB">Whether op(B) is its transpose.</param>
/// <param name="D">The result, and C.</param>
/// <param name="Epilogue">What is done before storing.</param>
public sealed record MatmulProblem(
    ComputeType Compute, MatrixLayout A, Operation TransposeA, MatrixLayout B, Operation TransposeB, MatrixLayout D,
    Epilogue Epilogue = Epilogue.Default)
{
    /// <summary>
    /// A 1x1 convolution of NHWC data. Row-major pixels x channels is column-major channels x pixels, so the result's
    /// rows are the output channels (which is why the bias fits), the weights (output channels x input channels) come
    /// transposed, and a channel slice of a wider tensor is a leading dimension.
    /// </summary>
    /// <param name="type">The element type of everything.</param>
    /// <param name="compute">The type of the sums, and whether 32-bit inputs are rounded to TF32.</param>
    /// <param name="pixels">The number of pixels of all images together, N * H * W.</param>
    /// <param name="inputs">The number of input channels.</param>
    /// <param name="outputs">The number of output channels.</param>
    /// <param name="inputPitch">The number of elements from an input pixel to the next.</param>
    /// <param name="outputPitch">
    /// The number of elements from an output pixel to the next, in the residual as well.
    /// </param>
    /// <param name="epilogue">The bias and activation that are applied before storing.</param>
    public static MatmulProblem Convolution1x1(
        CudaDataType type, ComputeType compute, long pixels, long inputs, long outputs, long inputPitch,
        long outputPitch, Epilogue epilogue) =>
        new(compute, new(type, inputs, outputs, inputs), Operation.Transpose, new(type, inputs, pixels, inputPitch),
            Operation.NonTranspose,
            new(type, outputs, pixels, outputPitch), epilogue);
}

/// <summary>
/// A product, ready to be run with one of its algorithms. Running allocates nothing and may be captured in a graph.
/// </summary>
public sealed unsafe class Matmul : IDisposable
{
    private readonly CudaBlasLt _blas;
    private readonly MatmulDescHandle _descriptor;
    private readonly MatrixLayoutHandle _a, _b, _d;

    /// <summary>Describes a product to cuBLASLt.</summary>
    /// <param name="blas">Where; must outlive the product.</param>
    /// <param name="problem">The shapes, the types and the epilogue of the product.</param>
    /// <param name="bias">A value for each row of D, in D's type; needed by an epilogue with bias.</param>
    /// <exception cref="CudaBlasException">It makes no sense to cuBLASLt.</exception>
    public Matmul(CudaBlasLt blas, MatmulProblem problem, CUdeviceptr bias = default)
    {
        _blas = blas;
        Problem = problem;
        BlasLtApi.ThrowIfFailed(
            BlasLtApi.cublasLtMatmulDescCreate(out nint descriptor, problem.Compute, CudaDataType.Real32F));
        _descriptor = new MatmulDescHandle(descriptor);
        try
        {
            Set(MatmulDescAttribute.TransA, problem.TransposeA);
            Set(MatmulDescAttribute.TransB, problem.TransposeB);
            Set(MatmulDescAttribute.Epilogue, problem.Epilogue);
            if (bias.Pointer != 0)
                Set(MatmulDescAttribute.BiasPointer, bias);
            _a = Create(problem.A);
            _b = Create(problem.B);
            _d = Create(problem.D);
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    /// <summary>What it computes.</summary>
    public MatmulProblem Problem { get; }

    /// <summary>
    /// The algorithms that compute it, the one expected to be fastest first; none if cuBLASLt cannot. A sum
    /// that is split is added up in 32-bit floats, whatever the type of the result.
    /// </summary>
    /// <param name="count">The largest number of them to return, at least 1.</param>
    /// <param name="maxWorkspace">The number of bytes of memory that they may need.</param>
    /// <param name="alignment">
    /// The number of bytes that the address of every matrix is a multiple of, at least; a power of two.
    /// </param>
    public MatmulAlgorithm[] GetHeuristics(int count, long maxWorkspace, int alignment = 256)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(count);
        ArgumentOutOfRangeException.ThrowIfNegative(maxWorkspace);
        using (_blas.Context.Enter())
        {
            BlasLtApi.ThrowIfFailed(BlasLtApi.cublasLtMatmulPreferenceCreate(out nint created));
            using var preference = new MatmulPreferenceHandle(created);
            BlasLtApi.ThrowIfFailed(BlasLtApi.cublasLtMatmulPreferenceSetAttribute(
                preference, MatmulPreferenceAttribute.MaxWorkspaceBytes, &maxWorkspace, sizeof(long)));
            // All are allowed otherwise, and some add halves.
            ReductionSchemes schemes = ReductionSchemes.ComputeType;
            BlasLtApi.ThrowIfFailed(BlasLtApi.cublasLtMatmulPreferenceSetAttribute(
                preference, MatmulPreferenceAttribute.ReductionSchemeMask, &schemes, sizeof(ReductionSchemes)));
            const MatmulPreferenceAttribute first = MatmulPreferenceAttribute.MinAlignmentA;
            for (MatmulPreferenceAttribute matrix = first; matrix <= MatmulPreferenceAttribute.MinAlignmentD; matrix++)
                BlasLtApi.ThrowIfFailed(
                    BlasLtApi.cublasLtMatmulPreferenceSetAttribute(preference, matrix, &alignment, sizeof(int)));
            var results = new MatmulHeuristicResult[count];
            int returned;
            fixed (MatmulHeuristicResult* start = results)
            {
                CublasStatus status = BlasLtApi.cublasLtMatmulAlgoGetHeuristic(
                    _blas.Handle, _descriptor, _a, _b, _d, _d, preference, count, start, out returned);
                if (status == CublasStatus.NotSupported)
                    return [];
                BlasLtApi.ThrowIfFailed(status, "cublasLtMatmulAlgoGetHeuristic()");
            }
            return [.. results.Take(returned).Where(result => result.State == CublasStatus.Success)
                .Select(result => new MatmulAlgorithm(result))];
        }
    }

    /// <summary>An algorithm that was kept as bytes.</summary>
    /// <param name="bytes">What an algorithm was stored as.</param>
    /// <returns>Nothing when this cuBLASLt does not take it for this product any more.</returns>
    public MatmulAlgorithm? Restore(ReadOnlySpan<byte> bytes)
    {
        if (bytes.Length != MatmulAlgorithm.ByteCount)
            return null;
        var blob = MemoryMarshal.Read<MatmulAlgorithmBlob>(bytes);
        MatmulHeuristicResult result;
        using (_blas.Context.Enter())
        {
            if (BlasLtApi.cublasLtMatmulAlgoCheck(
                _blas.Handle, _descriptor, _a, _b, _d, _d, &blob, &result) != CublasStatus.Success)
                return null;
        }
        // The check fills in what the algorithm needs, not the algorithm itself.
        result.Algorithm = blob;
        return new MatmulAlgorithm(result);
    }

    /// <summary>Puts the product into a stream. The context must be current.</summary>
    /// <param name="stream">The stream that runs it after what was put there before.</param>
    /// <param name="algorithm">One of the algorithms that this product was offered.</param>
    /// <param name="a">The first element of the first factor in device memory.</param>
    /// <param name="b">The first element of the second factor in device memory.</param>
    /// <param name="d">The first element of the result in device memory.</param>
    /// <param name="workspace">The memory for as many bytes as the algorithm needs, 256-byte aligned.</param>
    /// <param name="workspaceBytes">How many there are.</param>
    /// <param name="c">Added times <paramref name="beta"/>, in D's layout; may be <paramref name="d"/>.</param>
    /// <param name="alpha">The factor of the product.</param>
    /// <param name="beta">The factor of C; with 0 nothing is read.</param>
    /// <exception cref="CudaBlasException">cuBLASLt refused.</exception>
    public void RunAsync(
        CudaStream stream, MatmulAlgorithm algorithm, CUdeviceptr a, CUdeviceptr b, CUdeviceptr d,
        CUdeviceptr workspace = default, long workspaceBytes = 0,
        CUdeviceptr c = default, float alpha = 1, float beta = 0)
    {
        MatmulAlgorithmBlob blob = algorithm.Blob;
        BlasLtApi.ThrowIfFailed(BlasLtApi.cublasLtMatmul(
            _blas.Handle, _descriptor, &alpha, a, _a, b, _b, &beta, c.Pointer == 0
                ? d
                : c, _d, d, _d, &blob, workspace, (nuint)workspaceBytes, stream.Stream));
        GC.KeepAlive(stream);
    }

    public void Dispose()
    {
        _descriptor.Dispose();
        _a?.Dispose();
        _b?.Dispose();
        _d?.Dispose();
    }

    private void Set<T>(MatmulDescAttribute attribute, T value)
        where T : unmanaged =>
        BlasLtApi.ThrowIfFailed(
            BlasLtApi.cublasLtMatmulDescSetAttribute(_descriptor, attribute, &value, (nuint)sizeof(T)));

    private static MatrixLayoutHandle Create(MatrixLayout layout)
    {
        BlasLtApi.ThrowIfFailed(BlasLtApi.cublasLtMatrixLayoutCreate(
            out nint created, layout.Type, (ulong)layout.Rows, (ulong)layout.Columns, layout.LeadingDimension));
        return new MatrixLayoutHandle(created);
    }
}
