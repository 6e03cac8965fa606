using Atrous.Graph;
using Atrous.Graph.Ops;
using Atrous.ManagedCuda;
using Atrous.ManagedCuda.CUBLAS;
using Atrous.ManagedCuda.CUDNN;
using Atrous.Tensors;

namespace Atrous.Backends.Cuda.Convolutions;

/// <summary>Where libraries work.</summary>
/// <param name="Stream">The stream that the work is put into.</param>
/// <param name="Workspace">Address of memory of the stream's own, for what is needed beside the tensors.</param>
/// <param name="Dnn">A context of cuDNN's that no other stream of a capture uses.</param>
internal readonly record struct WorkPlace(CudaStream Stream, nint Workspace, CudaDNNContext Dnn);

/// <summary>An algorithm that computes one convolution, ready to be put into streams.</summary>
internal abstract class ConvolutionAlgorithm(ConvolutionProblem problem) : IDisposable
{
    public ConvolutionProblem Problem => problem;

    /// <summary>What a cache keeps of it.</summary>
    public abstract ConvolutionChoice Choice { get; }

    /// <summary>Bytes that it needs beside the tensors.</summary>
    public abstract long WorkspaceSize { get; }

    /// <summary>Puts it into a stream; the context is current and cuDNN's contexts are the caller's.</summary>
    public abstract void Enqueue(CudaDevice device, ConvolutionOperands operands, WorkPlace place);

    /// <summary>Compiled code that is worth keeping; null where there is none.</summary>
    public virtual byte[]? ToJson() => null;

    public abstract void Dispose();

    /// <summary>The activation alone, over the result.</summary>
    protected void Activate(CudaDevice device, ConvolutionOperands operands, CudaStream stream)
    {
        DeviceTensor y = Result(operands.Y);
        device.Launch(KernelLaunches.Affine(problem.Storage, y, 0, 0, problem.Activation, y), stream);
    }

    protected DeviceTensor Result(nint address) => new(address, problem.YPitch, problem.Y);

    protected static CUdeviceptr Pointer(nint address) => new((ulong)address);
}

/// <summary>
/// A plan of cuDNN's: with all that follows the sum in it, or for the sum alone, and our kernels for the rest.
/// </summary>
internal sealed class DnnAlgorithm(ConvolutionProblem problem, ExecutionPlan plan, ConvolutionChoice choice)
    : ConvolutionAlgorithm(problem)
{
    private const long X = 1, Filter = 2, Bias = 3, Residual = 4, Y = 5, Between = 100;

    public override ConvolutionChoice Choice => choice;

    public override long WorkspaceSize => plan.WorkspaceSize;

    public override byte[]? ToJson() => plan.ToJson();

    /// <summary>Describes the convolution to cuDNN.</summary>
    /// <param name="dnn">The context that cuDNN makes the description in.</param>
    /// <param name="problem">The convolution, with all that follows its sum.</param>
    /// <param name="kind">
    /// Plain for the sum alone; else with bias, residual and activation, as far as cuDNN has them, in the order that
    /// the kind names.
    /// </param>
    /// <exception cref="CudaDNNException">cuDNN has no such pattern.</exception>
    public static OperationGraph Describe(CudaDNNContext dnn, ConvolutionProblem problem, string kind)
    {
        bool fused = kind != ConvolutionChoice.Plain;
        CudnnDataType type = problem.Storage switch
        {
            DType.Float16 => CudnnDataType.Half,
            DType.BFloat16 => CudnnDataType.BFloat16,
            _ => CudnnDataType.Float,
        };
        GraphTensor x = Tensor(X, type, problem.X, problem.XPitch), y = Tensor(Y, type, problem.Y, problem.YPitch);
        var filter = GraphTensor.Packed(
            Filter, type, problem.Y.Channels, problem.X.Channels / problem.Groups, problem.KernelHeight,
            problem.KernelWidth);
        var steps = new List<(Pointwise Operation, GraphTensor? Operand)>();
        if (fused && problem.HasBias)
            steps.Add((new Pointwise(PointwiseMode.Add), GraphTensor.Packed(Bias, type, 1, problem.Y.Channels, 1, 1)));
        if (fused && problem.ResidualPitch > 0)
        {
            // The residual first is the order that everybody uses, and the one that precompiled engines are for.
            steps.Insert(
                kind == ConvolutionChoice.Fused ? 0 : steps.Count,
                (new Pointwise(PointwiseMode.Add), Tensor(Residual, type, problem.Y, problem.ResidualPitch)));
        }
        if (fused && problem.Pointwise is { } activation)
            steps.Add((activation, null));
        (int top, int left, int bottom, int right) =
            (problem.Padding.Top, problem.Padding.Left, problem.Padding.Bottom, problem.Padding.Right);
        OperationGraph.Builder builder = OperationGraph.Convolution(
            dnn, x, filter,
            new(top, left, bottom, right, problem.Stride, problem.Stride, problem.Dilation, problem.Dilation),
            steps.Count == 0 ? y : y.Virtual(Between));
        for (int i = 0; i < steps.Count; i++)
            builder.Then(steps[i].Operation, steps[i].Operand, i == steps.Count - 1 ? y : y.Virtual(Between + 1 + i));
        return builder.Build();
    }

    /// <summary>Whether there is anything to fuse that cuDNN has.</summary>
    public static bool CanFuse(ConvolutionProblem problem) =>
        problem.HasBias || problem.ResidualPitch > 0 || problem.Pointwise is not null;

    /// <summary>The orders in which what follows the sum can be described; both where they differ.</summary>
    public static IEnumerable<string> FusedKinds(ConvolutionProblem problem) =>
        problem.HasBias && problem.ResidualPitch > 0
            ? [ConvolutionChoice.Fused, ConvolutionChoice.FusedBiasFirst]
            : [ConvolutionChoice.Fused];

    public override void Enqueue(CudaDevice device, ConvolutionOperands operands, WorkPlace place)
    {
        bool fused = choice.Kind != ConvolutionChoice.Plain;
        var tensors = new List<(long, CUdeviceptr)>
        {
            (X, Pointer(operands.X)), (Filter, Pointer(operands.Kernel)), (Y, Pointer(operands.Y)),
        };
        if (fused && Problem.HasBias)
            tensors.Add((Bias, Pointer(operands.Bias)));
        if (fused && Problem.ResidualPitch > 0)
            tensors.Add((Residual, Pointer(operands.Residual)));
        using (var pack = new VariantPack(tensors, Pointer(place.Workspace)))
        {
            place.Dnn.SetStream(place.Stream);
            plan.Execute(place.Dnn, pack);
        }
        if (!fused)
            Finish(device, operands, place.Stream);
        else if (Problem.Activation.Kind != ActivationKind.None && Problem.Pointwise is null)
            Activate(device, operands, place.Stream);
    }

    public override void Dispose() => plan.Dispose();

    /// <summary>Bias, residual and activation by our own kernels.</summary>
    private void Finish(CudaDevice device, ConvolutionOperands operands, CudaStream stream)
    {
        DeviceTensor y = Result(operands.Y);
        bool adds = Problem.ResidualPitch > 0;
        Activation last = adds ? Activation.None : Problem.Activation;
        if (operands.WideBias != 0)
            device.Launch(KernelLaunches.Affine(Problem.Storage, y, 0, operands.WideBias, last, y), stream);
        else if (operands.Bias != 0)
        {
            var bias = new DeviceTensor(operands.Bias, Problem.Y.Channels, Problem.Y.Batch, 1, 1, Problem.Y.Channels);
            device.Launch(KernelLaunches.Binary(Problem.Storage, new Binary(BinaryKind.Add, last), y, bias, y), stream);
        }
        else if (!adds && last.Kind != ActivationKind.None)
            Activate(device, operands, stream);
        if (adds)
        {
            var residual = new DeviceTensor(operands.Residual, Problem.ResidualPitch, Problem.Y);
            device.Launch(
                KernelLaunches.Binary(Problem.Storage, new Binary(BinaryKind.Add, Problem.Activation), y, residual, y),
                stream);
        }
    }

    private static GraphTensor Tensor(long uid, CudnnDataType type, Shape shape, long pitch) =>
        new(uid, type, shape.Batch, shape.Channels, shape.Height, shape.Width, pitch);
}

/// <summary>A 1x1 convolution as a product of cuBLASLt's, with bias, residual and ReLU in it.</summary>
internal sealed class ProductAlgorithm(ConvolutionProblem problem, MatmulAlgorithm algorithm, ComputeType compute)
    : ConvolutionAlgorithm(problem)
{
    /// <summary>Bytes that all addresses are multiples of.</summary>
    private const int Alignment = 16;

    /// <summary>
    /// The most workspace that an algorithm may ask for; what cuBLAS takes for itself on large devices.
    /// </summary>
    private const long MostWorkspace = 32 << 20;

    private static readonly ActivationKind[] Activations = [ActivationKind.None, ActivationKind.Relu];

    public override ConvolutionChoice Choice => ConvolutionChoice.OfProduct(algorithm.ToBytes());

    public override long WorkspaceSize => algorithm.WorkspaceSize;

    /// <summary>cuBLASLt can compute it in one call: its third matrix lies as its result does.</summary>
    public static bool Suits(ConvolutionProblem problem) =>
        problem.IsProduct && (problem.ResidualPitch == 0 || problem.ResidualPitch == problem.YPitch)
        && Activations.Contains(problem.Activation.Kind);

    /// <summary>The algorithms that cuBLASLt thinks best.</summary>
    public static ProductAlgorithm[] Candidates(
        CudaDevice device, ConvolutionProblem problem, ComputeType compute, int count)
    {
        using var matmul = new Matmul(device.Blas, Describe(problem, compute), SomeBias(problem));
        return [.. matmul.GetHeuristics(count, MostWorkspace, Alignment)
            .Select(algorithm => new ProductAlgorithm(problem, algorithm, compute))];
    }

    /// <summary>An algorithm that was kept; null where cuBLASLt does not take it any more.</summary>
    public static ProductAlgorithm? Restore(
        CudaDevice device, ConvolutionProblem problem, ComputeType compute, ConvolutionChoice choice)
    {
        using var matmul = new Matmul(device.Blas, Describe(problem, compute), SomeBias(problem));
        return matmul.Restore(choice.Algorithm) is { } algorithm
            ? new ProductAlgorithm(problem, algorithm, compute)
            : null;
    }

    public override void Enqueue(CudaDevice device, ConvolutionOperands operands, WorkPlace place)
    {
        // The bias is part of cuBLASLt's description, which is cheap to make; a captured graph needs it no more.
        using var matmul = new Matmul(device.Blas, Describe(Problem, compute), Pointer(operands.Bias));
        matmul.RunAsync(
            place.Stream, algorithm, Pointer(operands.Kernel), Pointer(operands.X), Pointer(operands.Y),
            Pointer(place.Workspace),
            algorithm.WorkspaceSize, Pointer(operands.Residual), beta: operands.Residual == 0 ? 0 : 1);
    }

    public override void Dispose()
    {
        // An algorithm is plain bytes.
    }

    /// <summary>
    /// An aligned address that is not read: whether an algorithm takes a bias is asked before there is one.
    /// </summary>
    private static CUdeviceptr SomeBias(ConvolutionProblem problem) =>
        Pointer(problem.HasBias ? DeviceLayout.Alignment : 0);

    private static MatmulProblem Describe(ConvolutionProblem problem, ComputeType compute)
    {
        CudaDataType type = problem.Storage switch
        {
            DType.Float16 => CudaDataType.Real16F,
            DType.BFloat16 => CudaDataType.Real16BF,
            _ => CudaDataType.Real32F,
        };
        Epilogue epilogue = (problem.HasBias, problem.Activation.Kind == ActivationKind.Relu) switch
        {
            (true, true) => Epilogue.ReluBias,
            (true, false) => Epilogue.Bias,
            (false, true) => Epilogue.Relu,
            (false, false) => Epilogue.Default,
        };
        return MatmulProblem.Convolution1x1(
            type, compute, problem.Y.Pixels, problem.X.Channels, problem.Y.Channels, problem.XPitch, problem.YPitch,
            epilogue);
    }
}
