using Atrous.Graph;
using Atrous.Graph.Ops;
using Atrous.Tensors;

namespace Atrous.Backends.Cuda;

/// <summary>
/// The launches of the operations that are no matrix product, in terms of the graph. A storage is the type of the
/// tensors' elements. Tensors may be slices of wider ones; 16 bytes at a time are read and written where the channels,
/// the pixel strides and the addresses are multiples of that, single elements where not.
/// </summary>
internal static class KernelLaunches
{
    /// <summary>Pixels of a row that a thread of the depthwise kernel computes (run_length in depthwise.cu).</summary>
    private const int DepthwiseRun = 4;

    /// <summary>
    /// Chunks of 16 bytes that a block of the global average sums (chunks_of_block in global_average.cu).
    /// </summary>
    private const int AverageChunks = 4;

    /// <summary>Channels of a head that a thread of the attention sums (group in attention.cu).</summary>
    private const int AttentionGroup = 32;

    /// <summary>
    /// Channels of a sequence that a block of the linear attention sums (columns in linear_attention.cu).
    /// </summary>
    private const int LinearAttentionGroup = 32;

    /// <summary>The most parts that one concatenation takes (most_parts in concat.cu).</summary>
    public const int MostParts = 6;

    /// <summary>
    /// A depthwise convolution of one output channel per input channel: <see cref="Conv2d.Groups"/> equals the channels
    /// of both x and y.
    /// </summary>
    /// <param name="storage">The element type of x, residual and y.</param>
    /// <param name="op">The window, padding and activation.</param>
    /// <param name="x">The input, with as many channels as op has groups.</param>
    /// <param name="weights">
    /// The address of float32 [KernelHeight, KernelWidth, channels], times the op's scale: <see
    /// cref="DepthwiseWeights"/>.
    /// </param>
    /// <param name="bias">The address of float32 [channels], or 0.</param>
    /// <param name="residual">
    /// A tensor of y's shape that is added before the activation, or default for none; may be y.
    /// </param>
    /// <param name="y">The output, with x's channels.</param>
    public static KernelLaunch Depthwise(
        DType storage, Conv2d op, DeviceTensor x, nint weights, nint bias, DeviceTensor residual, DeviceTensor y)
    {
        if (op.Groups != x.Channels || x.Channels != y.Channels)
            throw new ArgumentException(
                $"A convolution from {x.Shape} to {y.Shape} in {op.Groups} group(s) is not depthwise.", nameof(op));
        int runs = (y.Width + DepthwiseRun - 1) / DepthwiseRun;
        return new KernelLaunch(
            Kernels.Find("depthwise", storage), Rows(y), runs * Chunks(y, storage),
            x, weights, bias, residual, op.KernelHeight, op.KernelWidth, op.Stride, op.Dilation, op.Padding.Top,
                op.Padding.Left,
            (int)op.Activation.Kind, op.Activation.Slope, y);
    }

    /// <summary>The weights of a depthwise convolution in the kernel's order, with the scale in them.</summary>
    /// <exception cref="ModelException">The weights cannot be read.</exception>
    public static float[] DepthwiseWeights(Conv2d op)
    {
        float[] weights = op.Kernel.ToArray();
        int taps = op.KernelHeight * op.KernelWidth, channels = op.OutChannels;
        var packed = new float[weights.Length];
        for (int c = 0; c < channels; c++)
        {
            for (int tap = 0; tap < taps; tap++)
                packed[tap * channels + c] = weights[c * taps + tap] * (op.Scale?[c] ?? 1);
        }
        return packed;
    }

    /// <summary>y = activation(x * scale + shift): batch norm, or an activation alone. y may be x.</summary>
    /// <param name="storage">The element type of x and y.</param>
    /// <param name="x">The input; scale and shift have a value for each of its channels.</param>
    /// <param name="scale">The address of float32 [channels], or 0 for 1.</param>
    /// <param name="shift">The address of float32 [channels], or 0 for 0.</param>
    /// <param name="activation">The function that is applied last.</param>
    /// <param name="y">The output, of x's shape.</param>
    public static KernelLaunch Affine(
        DType storage, DeviceTensor x, nint scale, nint shift, Activation activation, DeviceTensor y) => new(
        Kernels.Find("affine", storage), Rows(y), y.Width * Chunks(y, storage),
        x, scale, shift, (int)activation.Kind, activation.Slope, y);

    /// <summary>y = activation(a op b); b has a's shape or is one pixel per picture. y may be a.</summary>
    public static KernelLaunch Binary(DType storage, Binary op, DeviceTensor a, DeviceTensor b, DeviceTensor y) => new(
        Kernels.Find("binary", storage), Rows(y), y.Width * Chunks(y, storage),
        (int)op.Kind, a, b, (int)op.Activation.Kind, op.Activation.Slope, y);

    /// <summary>
    /// The window of x that starts at (top, left), or x's only pixel everywhere, in another place or type. The channels
    /// that y has beyond x's become 0.
    /// </summary>
    public static KernelLaunch Copy(DType from, DType to, DeviceTensor x, int top, int left, DeviceTensor y) => new(
        Kernels.Find("copy", from, to), Rows(y), y.Width * Chunks(y, Narrower(from, to)), x, top, left, y);

    /// <summary>The parts' channels after each other; a part of 1x1 is broadcast.</summary>
    /// <param name="storage">The element type of the parts and of y.</param>
    /// <param name="parts">The tensors to join, 1 to 6 of them, in the order of their channels in y.</param>
    /// <param name="y">With as many channels as the parts have together.</param>
    public static KernelLaunch Concat(DType storage, ReadOnlySpan<DeviceTensor> parts, DeviceTensor y)
    {
        if (parts.Length is 0 or > MostParts)
            throw new ArgumentException($"{parts.Length} parts cannot be joined at once.", nameof(parts));
        Span<DeviceTensor> six = stackalloc DeviceTensor[MostParts];
        parts.CopyTo(six);
        return new KernelLaunch(
            Kernels.Find("concat", storage), Rows(y), y.Width * Chunks(y, storage), six[0], six[1], six[2], six[3],
            six[4], six[5], y);
    }

    /// <summary>The largest cell of every window.</summary>
    public static KernelLaunch MaxPool(DType storage, MaxPool2d op, DeviceTensor x, DeviceTensor y) => new(
        Kernels.Find("max_pool", storage), Rows(y), y.Width * Chunks(y, storage),
        x, op.Kernel, op.Kernel, op.Stride, op.Padding, op.Padding, y);

    /// <summary>The mean of every window.</summary>
    public static KernelLaunch AveragePool(DType storage, AveragePool2d op, DeviceTensor x, DeviceTensor y) =>
        y is { Height: 1, Width: 1 } && op.KernelHeight == x.Height && op.KernelWidth == x.Width
            ? GlobalAverage(storage, x, y)
            : new KernelLaunch(
                Kernels.Find("average_pool", storage), Rows(y), y.Width * Chunks(y, storage),
                x, op.KernelHeight, op.KernelWidth, op.Stride, 0, 0, y);

    /// <summary>
    /// The mean of every channel; y is 1x1. A batch has at most 65535 pictures, because each is a block row of its own.
    /// </summary>
    public static KernelLaunch GlobalAverage(DType storage, DeviceTensor x, DeviceTensor y) =>
        Gather("global_average", storage, x, y);

    /// <summary>
    /// The factors of global response normalisation: the norm of every channel into y, which is 1x1 in float32, and
    /// then y's own factors over it. A batch has at most 65535 pictures.
    /// </summary>
    /// <param name="storage">The element type of x.</param>
    /// <param name="op">What is added to the mean of the norms.</param>
    /// <param name="x">The input, with as many channels as op has factors.</param>
    /// <param name="scale">Address of float32 [channels], the factors.</param>
    /// <param name="y">The output, of the shape of x.</param>
    public static (KernelLaunch Norms, KernelLaunch Response) GlobalResponse(
        DType storage, GlobalResponse op, DeviceTensor x, nint scale, DeviceTensor y)
    {
        KernelSignature kernel = Kernels.Find("global_response");
        return (
            Gather("global_norm", storage, x, y),
            new KernelLaunch(kernel, PictureRows(x), kernel.BlockSize, y, scale, (float)op.Epsilon, y));
    }

    private static KernelLaunch Gather(string name, DType storage, DeviceTensor x, DeviceTensor y)
    {
        KernelSignature kernel = Kernels.Find(name, storage);
        int blockChannels = AverageChunks * Lanes(storage);
        long blocks = (x.Channels + blockChannels - 1) / blockChannels;
        return new KernelLaunch(kernel, PictureRows(x), blocks * kernel.BlockSize, x, y);
    }

    /// <summary>Bilinear interpolation to y's size. to is the storage or float32.</summary>
    public static KernelLaunch Resize(DType from, DType to, ResizeBilinear op, DeviceTensor x, DeviceTensor y) => new(
        Kernels.Find("resize", from, to), Rows(y), y.Width * Chunks(y, Narrower(from, to)),
        x, (int)op.Sampling, ResizeScale(op, x.Height, y.Height), ResizeScale(op, x.Width, y.Width), y);

    /// <summary>Softmax along the channels, or among slices of them; y is float32.</summary>
    public static KernelLaunch Softmax(DType storage, Softmax op, DeviceTensor x, DeviceTensor y) => op.Slices == 1
        ? new(Kernels.Find("softmax", storage), Rows(y), y.Width, x, y)
        : new(Kernels.Find("slice_softmax", storage), Rows(y), y.Width * (x.Channels / op.Slices), x, op.Slices, y);

    /// <summary>
    /// Layer norm of every pixel, or of the whole picture: then a batch has at most 65535, each a block row of its own.
    /// </summary>
    /// <param name="storage">The element type of x and y.</param>
    /// <param name="op">What the statistics are of, and epsilon.</param>
    /// <param name="x">The input, with as many channels as op has factors.</param>
    /// <param name="scale">The address of float32 [channels], the factors.</param>
    /// <param name="shift">The address of float32 [channels], what is added.</param>
    /// <param name="y">The output; the channels that it has beyond x's become 0.</param>
    public static KernelLaunch LayerNorm(
        DType storage, LayerNorm op, DeviceTensor x, nint scale, nint shift, DeviceTensor y)
    {
        KernelSignature kernel = Kernels.Find(op.WholePicture ? "picture_norm" : "layer_norm", storage);
        (long rows, long items) = op.WholePicture ? (PictureRows(x), kernel.BlockSize) : (Rows(y), y.Width);
        return new KernelLaunch(kernel, rows, items, x, scale, shift, (float)op.Epsilon, y);
    }

    /// <summary>Attention of queries, keys and values of as many channels; y's beyond these become 0.</summary>
    public static KernelLaunch Attention(
        DType storage, Attention op, DeviceTensor queries, DeviceTensor keys, DeviceTensor values, DeviceTensor y)
    {
        int depth = queries.Channels / op.Heads, groups = (depth + AttentionGroup - 1) / AttentionGroup;
        return new KernelLaunch(
            Kernels.Find("attention", storage), Rows(y), (long)y.Width * op.Heads * groups,
            queries, keys, values, op.Heads, op.Scale, op.Patch, y);
    }

    /// <summary>Linear attention of one input whose channels are scores, keys and values.</summary>
    /// <param name="storage">The element type of the inputs and y.</param>
    /// <param name="patch">The height and width of a patch.</param>
    /// <param name="scores">The scores of one channel.</param>
    /// <param name="keys">The tensor whose channels are weighted and summed.</param>
    /// <param name="values">As many channels as keys has.</param>
    /// <param name="y">The output; the channels that it has beyond keys' become 0.</param>
    public static KernelLaunch LinearAttention(
        DType storage, int patch, DeviceTensor scores, DeviceTensor keys, DeviceTensor values, DeviceTensor y)
    {
        KernelSignature kernel = Kernels.Find("linear_attention", storage);
        long blocks = (long)patch * patch * ((y.Channels + LinearAttentionGroup - 1) / LinearAttentionGroup);
        return new KernelLaunch(
            kernel, PictureRows(y), blocks * kernel.BlockSize, scores, keys, values, patch, y);
    }

    /// <summary>
    /// The class of every pixel and its softmax probability, upsampled on the way. At least one result is wanted.
    /// </summary>
    /// <param name="storage">The element type of the logits.</param>
    /// <param name="upsample">To the size of the mask, or null where the logits have it.</param>
    /// <param name="logits">The scores of every class.</param>
    /// <param name="labels">The address of [batch, height, width], or 0.</param>
    /// <param name="type">The type of the labels: <see cref="DType.UInt8"/> or <see cref="DType.UInt16"/>.</param>
    /// <param name="confidence">The address of float32 [batch, height, width], or 0.</param>
    /// <param name="notFinite">
    /// The address of an int that becomes 1 where a score is NaN or plus infinity.
    /// </param>
    public static KernelLaunch Labels(
        DType storage, ResizeBilinear? upsample, DeviceTensor logits, nint labels, DType type, nint confidence,
        nint notFinite)
    {
        ResizeBilinear grid = upsample ?? new ResizeBilinear(logits.Height, logits.Width, Sampling.HalfPixel);
        return new KernelLaunch(
            Kernels.Find("labels", storage), (long)logits.Batch * grid.Height, grid.Width,
            logits, (int)grid.Sampling, ResizeScale(grid, logits.Height, grid.Height),
                ResizeScale(grid, logits.Width, grid.Width),
            grid.Height, grid.Width, labels, type == DType.UInt16 ? 1 : 0, confidence, notFinite);
    }

    /// <summary>
    /// Channel c of the network's input is (picture[source] * scale - mean) / std where the picture lies, with its top
    /// left pixel at (top, left), the same of the fill around it, and 0 in the channels that y has beyond the
    /// network's.
    /// </summary>
    /// <param name="storage">The element type of y.</param>
    /// <param name="picture">The address of uint8 [y.Batch, height, width, channels].</param>
    /// <param name="size">The height, width and channels of a picture.</param>
    /// <param name="top">The row of y in which the picture begins.</param>
    /// <param name="left">The column of y in which the picture begins.</param>
    /// <param name="scale">The factor on the byte.</param>
    /// <param name="maps">The address of a <see cref="PictureChannel"/> per channel of the network.</param>
    /// <param name="channels">The number of channels of the network's input.</param>
    /// <param name="y">The network's input, of all pictures.</param>
    public static KernelLaunch PictureInput(
        DType storage, nint picture, PictureSize size, int top, int left, float scale, nint maps, int channels,
        DeviceTensor y) => new(
        Kernels.Find("picture_input", storage), Rows(y), y.Width * Chunks(y, storage),
        picture, size.Height, size.Width, size.Channels, top, left, scale, maps, channels, y);

    /// <summary>
    /// Input pixels per output pixel along one axis, as fill_resize_taps in native/src/resize_taps.cpp decides.
    /// </summary>
    private static float ResizeScale(ResizeBilinear op, int input, int output) => op switch
    {
        _ when input == output => 1,
        { Sampling: Sampling.AlignCorners } => output > 1 ? (float)(input - 1) / (output - 1) : 0,
        { Scale: > 0 } => op.Scale,
        _ => (float)input / output,
    };

    /// <summary>A block row per picture; such kernels do not stride on over more.</summary>
    private static int PictureRows(DeviceTensor x) => x.Batch <= KernelLaunch.MostRows
        ? x.Batch
        : throw new ArgumentException($"A batch of {x.Batch} pictures is too large for one launch.", nameof(x));

    private static long Rows(DeviceTensor y) => (long)y.Batch * y.Height;

    /// <summary>Elements of a 16-byte chunk.</summary>
    private static int Lanes(DType storage) => 16 / storage.SizeInBytes();

    /// <summary>
    /// Chunks of a pixel of y. Where chunks are single elements because of an address or a stride, threads take several
    /// turns.
    /// </summary>
    private static long Chunks(DeviceTensor y, DType storage) =>
        y.Channels % Lanes(storage) == 0 ? y.Channels / Lanes(storage) : y.Channels;

    private static DType Narrower(DType one, DType other) => one.SizeInBytes() < other.SizeInBytes() ? one : other;
}
