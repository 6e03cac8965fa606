using Atrous.Tensors;
using static Atrous.Backends.Cuda.KernelParameterType;

namespace Atrous.Backends.Cuda;

/// <summary>
/// Every kernel that Atrous brings to a GPU. The list follows native/cuda, whose comments say what each computes; tests
/// compare it with the PTX. A storage is <see cref="DType.Float32"/>, <see cref="DType.Float16"/> or
/// <see cref="DType.BFloat16"/>, and suffixes a name: affine_f32, affine_f16, affine_bf16.
/// </summary>
internal static class Kernels
{
    private const int BlockSize = 256;
    private const string ResourceFolder = "Atrous.Kernels.";

    private static readonly DType[] Storages = [DType.Float32, DType.Float16, DType.BFloat16];

    private static readonly Dictionary<string, KernelSignature> ByName = Table().ToDictionary(kernel => kernel.Name);

    public static IReadOnlyCollection<KernelSignature> All => ByName.Values;

    /// <summary>The kernel of an operation for one storage.</summary>
    /// <exception cref="ArgumentException">There is no such kernel.</exception>
    public static KernelSignature Find(string operation, DType storage) => Find($"{operation}_{Suffix(storage)}");

    /// <summary>The kernel of an operation that reads one storage and writes another.</summary>
    /// <exception cref="ArgumentException">There is no such kernel.</exception>
    public static KernelSignature Find(string operation, DType from, DType to) =>
        from == to ? Find(operation, from) : Find($"{operation}_{Suffix(from)}_{Suffix(to)}");

    /// <summary>The kernel of this name.</summary>
    /// <exception cref="ArgumentException">There is no such kernel.</exception>
    public static KernelSignature Find(string name) =>
        ByName.GetValueOrDefault(name) ?? throw new ArgumentException($"There is no kernel {name}.", nameof(name));

    /// <summary>The PTX of a module, as the driver takes it: UTF-8 with a zero at the end.</summary>
    public static byte[] Ptx(string module)
    {
        using Stream stream = typeof(Kernels).Assembly.GetManifestResourceStream($"{ResourceFolder}{module}.ptx")
            ?? throw new ArgumentException($"There is no module {module}.", nameof(module));
        var text = new byte[stream.Length + 1];
        stream.ReadExactly(text, 0, text.Length - 1);
        return text;
    }

    /// <summary>A storage in the name of a kernel.</summary>
    public static string Suffix(DType storage) => storage switch
    {
        DType.Float32 => "f32",
        DType.Float16 => "f16",
        DType.BFloat16 => "bf16",
        _ => throw new ArgumentException($"Kernels do not compute in {storage}.", nameof(storage)),
    };

    private static IEnumerable<KernelSignature> Table() =>
    [
        .. Each(
            "depthwise", "depthwise", ("x", View), ("weights", Pointer), ("bias", Pointer), ("residual", View),
            ("kernelHeight", Integer), ("kernelWidth", Integer), ("stride", Integer), ("dilation", Integer),
                ("top", Integer), ("left", Integer),
            ("activation", Integer), ("slope", Real), ("y", View)),
        .. Each(
            "affine", "affine", ("x", View), ("scale", Pointer), ("shift", Pointer), ("activation", Integer),
            ("slope", Real),
            ("y", View)),
        .. Each(
            "binary", "binary", ("op", Integer), ("a", View), ("b", View), ("activation", Integer), ("slope", Real),
            ("y", View)),
        .. Each(
            "concat", "concat", ("a", View), ("b", View), ("c", View), ("d", View), ("e", View), ("f", View),
            ("y", View)),
        .. Each("max_pool", "pool", Window),
        .. Each("average_pool", "pool", Window),
        .. Each("global_average", "global_average", ("x", View), ("y", View))
            .Select(kernel => kernel with { BlockSize = 1024 }),
        .. Each("global_norm", "global_average", ("x", View), ("y", View))
            .Select(kernel => kernel with { BlockSize = 1024 }),
        Row("global_response", "global_response",
            [("x", View), ("scale", Pointer), ("epsilon", Real), ("y", View)]),
        .. Each("softmax", "softmax", ("x", View), ("y", View)),
        .. Each("slice_softmax", "softmax", ("x", View), ("slices", Integer), ("y", View)),
        .. Each("layer_norm", "layer_norm", Norm),
        .. Each("picture_norm", "layer_norm", Norm).Select(kernel => kernel with { BlockSize = 1024 }),
        .. Each(
            "attention", "attention", ("queries", View), ("keys", View), ("values", View), ("heads", Integer),
            ("scale", Real), ("patch", Integer), ("y", View)),
        .. Each(
            "linear_attention", "linear_attention", ("scores", View), ("keys", View), ("values", View),
            ("patch", Integer), ("y", View)),
        .. Each(
            "labels", "labels", ("logits", View), ("sampling", Integer), ("rowScale", Real), ("columnScale", Real),
            ("height", Integer), ("width", Integer), ("mask", Pointer), ("wide", Integer), ("confidence", Pointer),
            ("notFinite", Pointer)),
        .. Each(
            "picture_input", "picture_input", ("picture", Pointer), ("height", Integer), ("width", Integer),
            ("pictureChannels", Integer),
            ("top", Integer), ("left", Integer), ("scale", Real), ("maps", Pointer), ("channels", Integer),
                ("y", View)),
        .. Mixed("copy", [(DType.Float32, DType.Float16), (DType.Float32, DType.BFloat16)], ("x", View),
            ("top", Integer), ("left", Integer), ("y", View)),
        .. Mixed(
            "resize", [], ("x", View), ("sampling", Integer), ("rowScale", Real), ("columnScale", Real), ("y", View)),
        One("picture_taps", ("filter", Integer), ("inSize", Integer), ("outSize", Integer), ("stride", Integer),
            ("spans", Pointer), ("weights", Pointer)),
        One(
            "picture_width", ("x", Pointer), ("height", Integer), ("inWidth", Integer), ("outWidth", Integer),
            ("channels", Integer),
            ("spans", Pointer), ("weights", Pointer), ("stride", Integer), ("y", Pointer)),
        One(
            "picture_height", ("x", Pointer), ("pictures", Integer), ("inHeight", Integer), ("outHeight", Integer),
            ("width", Integer), ("channels", Integer),
            ("spans", Pointer), ("weights", Pointer), ("stride", Integer), ("y", Pointer)),
        One(
            "picture_plain", ("x", Pointer), ("pictures", Integer), ("inHeight", Integer), ("inWidth", Integer),
            ("outHeight", Integer), ("outWidth", Integer), ("channels", Integer),
            ("rowSpans", Pointer), ("rowWeights", Pointer), ("columnSpans", Pointer), ("columnWeights", Pointer),
                ("y", Pointer)),
    ];

    private static (string, KernelParameterType)[] Window =>
    [
        ("x", View), ("height", Integer), ("width", Integer), ("stride", Integer), ("top", Integer), ("left", Integer),
            ("y", View),
    ];

    private static (string, KernelParameterType)[] Norm =>
        [("x", View), ("scale", Pointer), ("shift", Pointer), ("epsilon", Real), ("y", View)];

    /// <summary>A kernel for every storage.</summary>
    private static IEnumerable<KernelSignature> Each(
        string name, string file, params (string, KernelParameterType)[] parameters) =>
        Storages.Select(storage => Row($"{name}_{Suffix(storage)}", $"{file}_{Suffix(storage)}", parameters));

    /// <summary>
    /// A kernel for every storage and from each to float32, besides those that are named. Its module is that of the
    /// storage of 16 bits, where there is one.
    /// </summary>
    private static IEnumerable<KernelSignature> Mixed(
        string name, (DType From, DType To)[] others, params (string, KernelParameterType)[] parameters) =>
    [
        .. Each(name, name, parameters),
        .. others.Concat(Storages.Skip(1).Select(from => (from, DType.Float32))).Select(pair => Row(
            $"{name}_{Suffix(pair.Item1)}_{Suffix(pair.Item2)}",
            $"{name}_{Suffix(pair.Item1 == DType.Float32 ? pair.Item2 : pair.Item1)}",
            parameters)),
    ];

    private static KernelSignature One(string name, params (string, KernelParameterType)[] parameters) =>
        Row(name, "picture_resize", parameters);

    private static KernelSignature Row(
        string name, string module, (string Name, KernelParameterType Type)[] parameters) =>
        new(name, module, BlockSize,
            [.. parameters.Select(parameter => new KernelParameter(parameter.Name, parameter.Type))]);
}
