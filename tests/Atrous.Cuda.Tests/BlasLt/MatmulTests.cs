using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Atrous.Cuda.Tests.Driver;
using Atrous.Cuda.Tests.Support;
using Atrous.ManagedCuda;
using Atrous.ManagedCuda.CUBLAS;
using Atrous.ManagedCuda.CUBLAS.Native;
using Atrous.ManagedCuda.Libraries;

namespace Atrous.Cuda.Tests.BlasLt;

/// <summary>1x1 convolutions as matrix products, against plain loops.</summary>
public sealed class MatmulTests : IDisposable
{
    /// <summary>Pitches are multiples of 16 bytes in every storage, as the backend's are.</summary>
    private const int Pixels = 7, Inputs = 16, Outputs = 8, InputPitch = 24, OutputPitch = 24;

    private readonly PrimaryContext _context = new();
    private readonly CudaStream _stream;
    private readonly CudaBlasLt _blas;

    public MatmulTests()
    {
        _context.SetCurrent();
        _stream = new CudaStream(_context);
        _blas = new CudaBlasLt(_context);
    }

    public void Dispose()
    {
        _blas.Dispose();
        _stream.Dispose();
        _context.Dispose();
    }

    [Fact]
    public void It_says_its_version() => Assert.InRange(CudaBlasLt.GetVersion().Major, 12, 13);

    public static IEnumerable<TheoryDataRow<string, Epilogue, bool>> Products =>
        from storage in Enum.GetNames<Storage>()
        from epilogue in Enum.GetValues<Epilogue>()
        from residual in (bool[])[false, true]
        select new TheoryDataRow<string, Epilogue, bool>(storage, epilogue, residual);

    [Theory]
    [MemberData(nameof(Products))]
    public void A_1x1_convolution_with_bias_residual_and_activation(string storage, Epilogue epilogue, bool residual) =>
        Check(Enum.Parse<Storage>(storage), epilogue, residual, matmul => matmul.GetHeuristics(1, 0)[0]);

    /// <summary>None rounds the parts of a sum to halves, as some would that are not asked for.</summary>
    [Theory]
    [InlineData("Fp16")]
    [InlineData("Bf16")]
    public void Every_algorithm_computes_the_same(string storage)
    {
        int count = 1;
        for (int i = 0; i < count; i++)
        {
            Check(Enum.Parse<Storage>(storage), Epilogue.ReluBias, true, matmul =>
            {
                MatmulAlgorithm[] all = matmul.GetHeuristics(8, 64 << 20);
                Assert.NotEmpty(all);
                count = all.Length;
                return all[Math.Min(i, count - 1)];
            });
        }
    }

    [Fact]
    public void An_algorithm_kept_as_bytes_computes_the_same() => Check(Storage.Bf16, Epilogue.Bias, false, matmul =>
    {
        byte[] kept = matmul.GetHeuristics(4, 64 << 20)[^1].ToBytes();
        Assert.Equal(MatmulAlgorithm.ByteCount, kept.Length);
        return matmul.Restore(kept)!;
    });

    [Fact]
    public void Bytes_that_are_no_algorithm_are_not_restored()
    {
        using var matmul = new Matmul(_blas, Problem(Storage.Fp32, Epilogue.Default));
        Assert.Null(matmul.Restore(new byte[3]));
        Assert.Null(matmul.Restore(Enumerable.Repeat((byte)0xAB, MatmulAlgorithm.ByteCount).ToArray()));
    }

    [Fact]
    public void Heuristics_keep_to_the_workspace()
    {
        using var matmul = new Matmul(_blas, Problem(Storage.Fp16, Epilogue.Default));
        Assert.All(matmul.GetHeuristics(8, 0), algorithm => Assert.Equal(0, algorithm.WorkspaceSize));
        Assert.All(matmul.GetHeuristics(8, 1 << 20), algorithm => Assert.InRange(algorithm.WorkspaceSize, 0, 1 << 20));
    }

    [Fact]
    public void What_cublas_cannot_multiply_has_no_algorithm()
    {
        MatmulProblem problem = Problem(Storage.Fp16, Epilogue.Default);
        using var mixed = new Matmul(_blas, problem with { B = problem.B with { Type = CudaDataType.Real32F } });
        try
        {
            Assert.Empty(mixed.GetHeuristics(4, 1 << 20));
        }
        catch (CudaBlasException e) when (!SoftwareDevice.Used)
        {
            // Some versions call it an invalid value; the backend takes that for "none" as well.
            Assert.Equal(CublasStatus.InvalidValue, e.CudaBlasError);
        }
    }

    [Fact]
    public void A_layout_that_makes_no_sense_is_refused_with_the_call()
    {
        // The real library looks at a layout where it is used.
        SoftwareDevice.Require();
        MatmulProblem problem = Problem(Storage.Fp32, Epilogue.Default);
        var failure = Assert.Throws<CudaBlasException>(
            () => new Matmul(_blas, problem with { D = problem.D with { LeadingDimension = Outputs - 1 } }));
        Assert.Equal(("cublasLtMatrixLayoutCreate", CublasStatus.InvalidValue), (failure.Call, failure.CudaBlasError));
        Assert.Contains("CUBLAS_STATUS_INVALID_VALUE (7)", failure.Message);
    }

    [Fact]
    public void A_workspace_that_is_too_small_is_refused()
    {
        SoftwareDevice.Require();
        using var matmul = new Matmul(_blas, Problem(Storage.Fp32, Epilogue.Default));
        using var memory = new CudaDeviceVariable<float>(_context, 1024);
        MatmulAlgorithm hungry = matmul.GetHeuristics(8, 64 << 20).MaxBy(algorithm => algorithm.WorkspaceSize)!;
        Assert.True(hungry.WorkspaceSize > 0);
        CUdeviceptr start = memory.DevicePointer;
        var failure = Assert.Throws<CudaBlasException>(() => matmul.RunAsync(_stream, hungry, start, start, start));
        Assert.Equal(("cublasLtMatmul", CublasStatus.InvalidValue), (failure.Call, failure.CudaBlasError));
    }

    [Fact]
    public void A_matrix_that_is_too_small_is_found_by_the_device()
    {
        SoftwareDevice.Require();
        using var matmul = new Matmul(_blas, Problem(Storage.Fp32, Epilogue.Default));
        using var enough = new CudaDeviceVariable<float>(_context, 1024);
        using var small = new CudaDeviceVariable<float>(_context, Pixels * InputPitch - InputPitch + Inputs - 1);
        matmul.RunAsync(
            _stream, matmul.GetHeuristics(1, 0)[0], enough.DevicePointer, small.DevicePointer, enough.DevicePointer);
        Assert.Equal(CUResult.ErrorIllegalAddress, Assert.Throws<CudaException>(_stream.Synchronize).CudaError);
        Assert.Contains("B is outside device memory", SoftwareDevice.Reports);
        SoftwareDevice.Reset();
    }

    [Fact]
    public void A_captured_product_computes_what_a_direct_one_does_and_allocates_nothing()
    {
        using var a = Send(Numbers.Random(Outputs * Inputs, 1), Storage.Fp32);
        using var b = Send(Numbers.Random(Pixels * InputPitch, 2), Storage.Fp32);
        using var direct = new CudaDeviceVariable<byte>(_context, Pixels * OutputPitch * 4);
        using var replayed = new CudaDeviceVariable<byte>(_context, Pixels * OutputPitch * 4);
        direct.MemsetAsync((byte)0, _stream);
        replayed.MemsetAsync((byte)0, _stream);
        using var matmul = new Matmul(_blas, Problem(Storage.Fp32, Epilogue.Default));
        MatmulAlgorithm algorithm = matmul.GetHeuristics(1, 0)[0];
        CUdeviceptr weights = a.DevicePointer, input = b.DevicePointer, output = direct.DevicePointer;
        matmul.RunAsync(_stream, algorithm, weights, input, output);
        long before = GC.GetAllocatedBytesForCurrentThread();
        for (int i = 0; i < 100; i++)
            matmul.RunAsync(_stream, algorithm, weights, input, output);
        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);

        _stream.BeginCapture();
        matmul.RunAsync(_stream, algorithm, weights, input, replayed.DevicePointer);
        using CudaGraph graph = _stream.EndCapture();
        using CudaGraphExec executable = graph.Instantiate();
        executable.Launch(_stream);
        Assert.Equal(Receive(direct, Storage.Fp32), Receive(replayed, Storage.Fp32));
    }

    [Fact]
    public void Nothing_works_after_dispose()
    {
        var matmul = new Matmul(_blas, Problem(Storage.Fp32, Epilogue.Default));
        MatmulAlgorithm algorithm = matmul.GetHeuristics(1, 0)[0];
        matmul.Dispose();
        Assert.Throws<ObjectDisposedException>(() => matmul.GetHeuristics(1, 0));
        Assert.Throws<ObjectDisposedException>(() => matmul.RunAsync(_stream, algorithm, default, default, default));
    }

    [Fact]
    public void Structs_have_the_librarys_layout_and_every_entry_point_is_there()
    {
        Assert.Equal(64, Unsafe.SizeOf<MatmulAlgorithmBlob>());
        Assert.Equal(96, Unsafe.SizeOf<MatmulHeuristicResult>());
        MatmulHeuristicResult result = default;
        nint state = Unsafe.ByteOffset(
            ref Unsafe.As<MatmulHeuristicResult, byte>(ref result),
            ref Unsafe.As<CublasStatus, byte>(ref result.State));
        Assert.Equal(72, state);
        nint library = CudaLibraryProbe.Load(CudaLibraryName.BlasLt).Handle;
        Assert.All(BorderTests.ImportsOf(typeof(BlasLtApi), "cublasLt"), name =>
            Assert.True(NativeLibrary.TryGetExport(library, name, out _), name));
    }

    private void Check(Storage storage, Epilogue epilogue, bool residual, Func<Matmul, MatmulAlgorithm> choose)
    {
        float[] Make(int count, int seed) =>
            [.. Numbers.Random(count, seed).Select(value => Numbers.Stored(value, storage))];
        float[] weights = Make(Outputs * Inputs, 1), input = Make(Pixels * InputPitch, 2), bias = Make(Outputs, 3),
            skip = Make(Pixels * OutputPitch, 4);
        using CudaDeviceVariable<byte> a = Send(weights, storage), b = Send(input, storage),
            vector = Send(bias, storage), c = Send(skip, storage), d = Send(skip, storage);
        using var matmul = new Matmul(_blas, Problem(storage, epilogue), vector.DevicePointer);
        MatmulAlgorithm algorithm = choose(matmul);
        using var workspace = new CudaDeviceVariable<byte>(_context, Math.Max(1, algorithm.WorkspaceSize));
        matmul.RunAsync(
            _stream, algorithm, a.DevicePointer, b.DevicePointer, d.DevicePointer, workspace.DevicePointer,
            algorithm.WorkspaceSize, c.DevicePointer,
            beta: residual ? 1 : 0);
        _stream.Synchronize();
        float[] seen = Receive(d, storage);
        for (int p = 0; p < Pixels; p++)
        {
            for (int o = 0; o < OutputPitch; o++)
            {
                float exact = skip[p * OutputPitch + o];
                if (o < Outputs)
                {
                    double sum = residual ? exact : 0, magnitude = 0;
                    for (int i = 0; i < Inputs; i++)
                    {
                        double product = (double)Numbers.Multiplied(weights[o * Inputs + i], storage)
                            * Numbers.Multiplied(input[p * InputPitch + i], storage);
                        sum += product;
                        magnitude += Math.Abs(product);
                    }
                    sum += epilogue is Epilogue.Bias or Epilogue.ReluBias ? bias[o] : 0;
                    exact = (float)(epilogue is Epilogue.Relu or Epilogue.ReluBias ? Math.Max(sum, 0) : sum);
                    Assert.Equal(exact, seen[p * OutputPitch + o], Numbers.Tolerance(exact, storage, magnitude));
                }
                else
                {
                    // The channels beside the slice belong to somebody else.
                    Assert.Equal(exact, seen[p * OutputPitch + o]);
                }
            }
        }
    }

    private static MatmulProblem Problem(Storage storage, Epilogue epilogue) => MatmulProblem.Convolution1x1(
        storage switch
        {
            Storage.Fp16 => CudaDataType.Real16F,
            Storage.Bf16 => CudaDataType.Real16BF,
            _ =>
        CudaDataType.Real32F
        },
        storage == Storage.Tf32
            ? ComputeType.Compute32FFastTF32
            : ComputeType.Compute32F, Pixels, Inputs, Outputs, InputPitch, OutputPitch, epilogue);

    private CudaDeviceVariable<byte> Send(float[] values, Storage storage)
    {
        byte[] bytes = Numbers.ToBytes(values, storage);
        var memory = new CudaDeviceVariable<byte>(_context, bytes.Length);
        memory.CopyToDevice(bytes);
        return memory;
    }

    private float[] Receive(CudaDeviceVariable<byte> memory, Storage storage)
    {
        _stream.Synchronize();
        byte[] bytes = new byte[memory.Size];
        memory.CopyToHost(bytes);
        return Numbers.FromBytes(bytes, storage);
    }
}
