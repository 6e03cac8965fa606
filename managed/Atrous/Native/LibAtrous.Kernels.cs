using System.Runtime.InteropServices;

namespace Atrous.Native;

/// <content>The operations of networks.</content>
internal static unsafe partial class LibAtrous
{
    [LibraryImport(Library, EntryPoint = "atrous_conv2d_create")]
    public static partial AtrousStatus Conv2dCreate(
        EngineHandle engine, in NativeConv2d desc, float* weights, float* scale, float* bias, out nint conv);

    [LibraryImport(Library, EntryPoint = "atrous_conv2d_destroy")]
    public static partial void Conv2dDestroy(nint conv);

    /// <summary>residual: null, or a view of the output's shape.</summary>
    [LibraryImport(Library, EntryPoint = "atrous_conv2d_run")]
    public static partial AtrousStatus Conv2dRun(
        EngineHandle engine, Conv2dHandle conv, in NativeTensor input, int padTop, int padLeft, NativeTensor* residual,
        in NativeTensor output);

    /// <summary>residual: null, or a view of the output's shape.</summary>
    [LibraryImport(Library, EntryPoint = "atrous_separable_run")]
    public static partial AtrousStatus SeparableRun(
        EngineHandle engine, Conv2dHandle depthwise, Conv2dHandle pointwise, in NativeTensor input, int padTop,
        int padLeft,
        NativeTensor* residual, in NativeTensor output);

    [LibraryImport(Library, EntryPoint = "atrous_max_pool")]
    public static partial AtrousStatus MaxPool(
        EngineHandle engine, in NativeTensor input, in NativePool desc, in NativeTensor output);

    [LibraryImport(Library, EntryPoint = "atrous_average_pool")]
    public static partial AtrousStatus AveragePool(
        EngineHandle engine, in NativeTensor input, in NativePool desc, in NativeTensor output);

    [LibraryImport(Library, EntryPoint = "atrous_resize_bilinear")]
    public static partial AtrousStatus ResizeBilinear(
        EngineHandle engine, in NativeTensor input, in NativeResize desc, in NativeTensor output);

    [LibraryImport(Library, EntryPoint = "atrous_affine")]
    public static partial AtrousStatus Affine(
        EngineHandle engine, in NativeTensor input, float* scale, float* shift, int activation, float slope,
        in NativeTensor output);

    [LibraryImport(Library, EntryPoint = "atrous_binary_op")]
    public static partial AtrousStatus BinaryOp(
        EngineHandle engine, int op, in NativeTensor a, in NativeTensor b, int activation, float slope,
        in NativeTensor output);

    [LibraryImport(Library, EntryPoint = "atrous_copy")]
    public static partial AtrousStatus Copy(
        EngineHandle engine, in NativeTensor input, int top, int left, in NativeTensor output);

    [LibraryImport(Library, EntryPoint = "atrous_layer_norm")]
    public static partial AtrousStatus LayerNorm(
        EngineHandle engine, in NativeTensor input, float* scale, float* shift, float epsilon, int wholePicture,
        in NativeTensor output);

    [LibraryImport(Library, EntryPoint = "atrous_global_response")]
    public static partial AtrousStatus GlobalResponse(
        EngineHandle engine, in NativeTensor input, float* scale, float epsilon, in NativeTensor output);

    [LibraryImport(Library, EntryPoint = "atrous_attention")]
    public static partial AtrousStatus Attention(
        EngineHandle engine, in NativeTensor queries, in NativeTensor keys, in NativeTensor values, int heads,
        float scale, int patch, in NativeTensor output);

    [LibraryImport(Library, EntryPoint = "atrous_linear_attention")]
    public static partial AtrousStatus LinearAttention(
        EngineHandle engine, in NativeTensor scores, in NativeTensor keys, in NativeTensor values, int patch,
        in NativeTensor output);

    [LibraryImport(Library, EntryPoint = "atrous_softmax")]
    public static partial AtrousStatus Softmax(
        EngineHandle engine, in NativeTensor input, int slices, in NativeTensor output);

    [LibraryImport(Library, EntryPoint = "atrous_resize_argmax")]
    public static partial AtrousStatus ResizeArgmax(
        EngineHandle engine, in NativeTensor logits, in NativeResize desc, int height, int width, ushort* labels,
        float* confidence);
}

/// <summary>atrous_conv2d_desc.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct NativeConv2d
{
    public int InChannels, OutChannels;
    public int KernelHeight, KernelWidth;
    public int StrideHeight, StrideWidth;
    public int DilationHeight, DilationWidth;
    public int Groups;
    public int Activation;
    public float Slope;
    public NativeType Type;
    public int UsualHeight, UsualWidth;
    public int Zero;
}

/// <summary>atrous_pool_desc.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct NativePool
{
    public int KernelHeight, KernelWidth;
    public int StrideHeight, StrideWidth;
    public int PadTop, PadLeft;
}

/// <summary>atrous_resize_desc.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct NativeResize
{
    public int Sampling;
    public float ScaleHeight, ScaleWidth;
}

/// <summary>Owns an atrous_conv2d: packed weights that serve any picture size and any number of threads.</summary>
internal sealed class Conv2dHandle : SafeHandle
{
    public Conv2dHandle(nint conv)
        : base(0, ownsHandle: true) => SetHandle(conv);

    public override bool IsInvalid => handle == 0;

    protected override bool ReleaseHandle()
    {
        LibAtrous.Conv2dDestroy(handle);
        return true;
    }
}
