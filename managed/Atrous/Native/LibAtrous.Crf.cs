using System.Runtime.InteropServices;

namespace Atrous.Native;

/// <content>The fully-connected CRF.</content>
internal static unsafe partial class LibAtrous
{
    [LibraryImport(Library, EntryPoint = "atrous_crf_create")]
    public static partial AtrousStatus CrfCreate(EngineHandle engine, in NativeCrf desc, out nint crf);

    [LibraryImport(Library, EntryPoint = "atrous_crf_destroy")]
    public static partial void CrfDestroy(nint crf);

    [LibraryImport(Library, EntryPoint = "atrous_crf_set_unary")]
    public static partial AtrousStatus CrfSetUnary(CrfHandle crf, in NativeCrfScores scores);

    [LibraryImport(Library, EntryPoint = "atrous_crf_add_gaussian")]
    public static partial AtrousStatus CrfAddGaussian(
        CrfHandle crf, float sigmaX, float sigmaY, in NativeCrfKernel kernel);

    /// <summary>sigmaChannels: one per channel of the image.</summary>
    [LibraryImport(Library, EntryPoint = "atrous_crf_add_bilateral")]
    public static partial AtrousStatus CrfAddBilateral(
        CrfHandle crf, float sigmaX, float sigmaY, float* sigmaChannels, in NativeImage image,
        in NativeCrfKernel kernel);

    /// <summary>features: dims x pixels.</summary>
    [LibraryImport(Library, EntryPoint = "atrous_crf_add_features")]
    public static partial AtrousStatus CrfAddFeatures(
        CrfHandle crf, int dims, float* features, in NativeCrfKernel kernel);

    [LibraryImport(Library, EntryPoint = "atrous_crf_start")]
    public static partial AtrousStatus CrfStart(CrfHandle crf);

    [LibraryImport(Library, EntryPoint = "atrous_crf_step")]
    public static partial AtrousStatus CrfStep(CrfHandle crf, int iterations);

    [LibraryImport(Library, EntryPoint = "atrous_crf_kl_divergence")]
    public static partial AtrousStatus CrfKlDivergence(CrfHandle crf, out double divergence);

    [LibraryImport(Library, EntryPoint = "atrous_crf_beliefs")]
    public static partial AtrousStatus CrfBeliefs(CrfHandle crf, float* beliefs, long labelStride, long pixelStride);

    [LibraryImport(Library, EntryPoint = "atrous_crf_labels")]
    public static partial AtrousStatus CrfLabels(CrfHandle crf, ushort* labels);
}

/// <summary>atrous_crf_desc.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct NativeCrf
{
    public int Height;
    public int Width;
    public int Labels;
    public long MemoryLimit;
}

/// <summary>atrous_crf_scores.</summary>
[StructLayout(LayoutKind.Sequential)]
internal unsafe struct NativeCrfScores
{
    public float* Data;
    public long LabelStride;
    public long PixelStride;
    public int Form;
    public float Scale;
    public float Clip;
}

/// <summary>atrous_crf_kernel.</summary>
[StructLayout(LayoutKind.Sequential)]
internal unsafe struct NativeCrfKernel
{
    public int Normalization;
    public int Compatibility;
    public float* CompatibilityValues;
}

/// <summary>Owns an atrous_crf, and keeps its engine alive for as long.</summary>
internal sealed class CrfHandle : SafeHandle
{
    private readonly EngineHandle _engine;

    public CrfHandle(EngineHandle engine, in NativeCrf desc)
        : base(0, ownsHandle: true)
    {
        _engine = engine;
        bool added = false;
        engine.DangerousAddRef(ref added);
        AtrousStatus status = LibAtrous.CrfCreate(engine, in desc, out nint crf);
        if (status != AtrousStatus.Ok)
            engine.DangerousRelease();
        LibAtrous.ThrowIfFailed(status);
        SetHandle(crf);
    }

    public override bool IsInvalid => handle == 0;

    protected override bool ReleaseHandle()
    {
        LibAtrous.CrfDestroy(handle);
        _engine.DangerousRelease();
        return true;
    }
}
