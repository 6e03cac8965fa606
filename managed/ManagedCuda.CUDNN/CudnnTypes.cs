namespace Atrous.ManagedCuda.CUDNN;

/// <summary>Element types, by cuDNN's numbers.</summary>
public enum CudnnDataType
{
    Float = 0,
    Half = 2,
    BFloat16 = 9,
}

/// <summary>What a pointwise operation does, by cuDNN's numbers.</summary>
public enum PointwiseMode
{
    Add = 0,
    Mul = 1,
    Min = 2,
    Max = 3,
    Sub = 9,
    Identity = 21,

    /// <summary>min(upper clip, x above the lower clip, and slope times x below it).</summary>
    ReluFwd = 100,
    TanhFwd = 101,
    SigmoidFwd = 102,

    /// <summary>x * sigmoid(beta * x).</summary>
    SwishFwd = 106,
}

/// <summary>How engines are ranked, by cuDNN's numbers.</summary>
public enum HeuristicMode
{
    /// <summary>More thought, better ranked.</summary>
    B = 1,

    /// <summary>Engines that work, not ranked.</summary>
    Fallback = 2,

    /// <summary>Fast.</summary>
    A = 3,
}

/// <summary>What an engine does to numbers, by cuDNN's numbers.</summary>
public enum NumericalNote
{
    /// <summary>Products on tensor cores: 32-bit inputs are rounded to TF32.</summary>
    TensorCore = 0,
    DownConvertInputs = 1,
    ReducedPrecisionReduction = 2,
    Fft = 3,
    Nondeterministic = 4,
    Winograd = 5,
    WinogradTile4x4 = 6,
    WinogradTile6x6 = 7,
    WinogradTile13x13 = 8,
    StrictNanPropagation = 9,
}

/// <summary>How an engine behaves, by cuDNN's numbers.</summary>
public enum BehaviorNote
{
    /// <summary>Its plan is compiled when it is made.</summary>
    RuntimeCompilation = 0,
    RequiresFilterInt8x32Reorder = 1,
    RequiresBiasInt8x32Reorder = 2,
    SupportsCudaGraphNativeApi = 3,
}

/// <summary>A tensor of a graph: numbers side by side in any strided order.</summary>
/// <param name="Uid">Its number in the graph; the pointers of a run are given by it.</param>
/// <param name="Type">The type of the elements.</param>
/// <param name="N">The number of images; of a filter the number of its outputs.</param>
/// <param name="C">The number of channels; of a filter the number of its inputs in a group.</param>
/// <param name="H">The height in pixels; of a filter, the height of its window.</param>
/// <param name="W">The width in pixels; of a filter, the width of its window.</param>
/// <param name="PixelStride">
/// The number of elements from a pixel to the next: C, or more for a channel slice of a wider tensor.
/// </param>
/// <param name="IsVirtual">It exists only between two operations of the graph.</param>
/// <param name="Alignment">The number of bytes that its address is a multiple of, in every run.</param>
public readonly record struct GraphTensor(long Uid, CudnnDataType Type, long N, long C, long H, long W,
    long PixelStride, bool IsVirtual = false, long Alignment = 16)
{
    /// <summary>A tensor whose pixels lie side by side.</summary>
    /// <param name="uid">The number by which the operations of the graph name the tensor.</param>
    /// <param name="type">The type of the elements.</param>
    /// <param name="n">The number of images; of a filter the number of its outputs.</param>
    /// <param name="c">The number of channels; of a filter the number of its inputs in a group.</param>
    /// <param name="h">The number of rows.</param>
    /// <param name="w">The number of columns.</param>
    public static GraphTensor Packed(long uid, CudnnDataType type, long n, long c, long h, long w) =>
        new(uid, type, n, c, h, w, c);

    /// <summary>
    /// The same shape as a virtual tensor of 32-bit floats, what cuDNN recommends between operations.
    /// </summary>
    /// <param name="uid">The number by which the operations of the graph name the tensor.</param>
    public GraphTensor Virtual(long uid) => new(uid, CudnnDataType.Float, N, C, H, W, C, IsVirtual: true);
}

/// <summary>A convolution's window in two dimensions, in pixels.</summary>
/// <param name="PadTop">The number of rows of zeros before the first.</param>
/// <param name="PadLeft">The number of columns of zeros before the first.</param>
/// <param name="PadBottom">The number of rows of zeros behind the last.</param>
/// <param name="PadRight">The number of columns of zeros behind the last.</param>
/// <param name="StrideHeight">The step along the height.</param>
/// <param name="StrideWidth">The step along the width.</param>
/// <param name="DilationHeight">The atrous rate along the height.</param>
/// <param name="DilationWidth">The atrous rate along the width.</param>
public readonly record struct ConvolutionWindow(
    long PadTop, long PadLeft, long PadBottom, long PadRight, long StrideHeight = 1, long StrideWidth = 1,
    long DilationHeight = 1, long DilationWidth = 1);

/// <summary>A pointwise operation and its constants; those that are null keep cuDNN's defaults.</summary>
/// <param name="Mode">The function that is applied to each element.</param>
/// <param name="LowerClip">The lowest result that <see cref="PointwiseMode.ReluFwd"/> lets through.</param>
/// <param name="UpperClip">
/// The highest result that <see cref="PointwiseMode.ReluFwd"/> lets through: 6 for ReLU6.
/// </param>
/// <param name="LowerSlope">
/// The slope that <see cref="PointwiseMode.ReluFwd"/> has below its lower clip: not 0 for a leaky ReLU.
/// </param>
/// <param name="SwishBeta">The factor of x inside the sigmoid of <see cref="PointwiseMode.SwishFwd"/>.</param>
public sealed record Pointwise(PointwiseMode Mode, float? LowerClip = null, float? UpperClip = null,
    float? LowerSlope = null, float? SwishBeta = null);

/// <summary>
/// An engine and its knobs: what a cache keeps of a plan, beside cuDNN's version. Engine numbers change between
/// versions.
/// </summary>
/// <param name="Engine">The engine's global index.</param>
/// <param name="Knobs">The type and value of each knob.</param>
public sealed record EngineChoice(long Engine, IReadOnlyList<KeyValuePair<int, long>> Knobs);
