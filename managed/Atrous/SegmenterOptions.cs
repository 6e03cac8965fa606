using Atrous.Backends;
using Atrous.Postprocessing;
using Atrous.Scoring;
using Atrous.Specs;
using Microsoft.Extensions.Logging;

namespace Atrous;

/// <summary>
/// How a model is loaded and run. The defaults are the original framework's behaviour on the best device.
/// </summary>
public sealed record SegmenterOptions
{
    /// <summary>
    /// "auto", "cpu", "reference", "cuda" or "cuda:n"; "cuda:0,1" or "cuda:all" for several GPUs, and "cpu:0,1" or
    /// "cpu:all" for the nodes (sockets) of a processor, each of which has the model and takes runs when it is free.
    /// </summary>
    public string Device { get; init; } = "auto";

    /// <summary>
    /// A backend of your own that runs the network, in whatever precision it computes; null for the one of
    /// <see cref="Device"/>. The segmenter does not dispose it, so several may share it.
    /// </summary>
    public IBackend? Backend { get; init; }

    /// <summary>
    /// Number format of weights and activations; null for <see cref="Atrous.Precision.Int8"/> where the model was
    /// quantised and no GPU is named, and <see cref="Atrous.Precision.Fp32"/> otherwise. With int8 "auto" takes the
    /// CPU, since GPUs have none. Beside <see cref="Backend"/> it says what that backend was opened with.
    /// </summary>
    public Precision? Precision { get; init; }

    /// <summary>
    /// Is told which model was loaded, which device runs it or was passed over and why, and the first run of every
    /// picture size; null for nobody.
    /// </summary>
    public ILogger? Logger { get; init; }

    /// <summary>
    /// Threads of the CPU backend, the caller's included; 0 for one per core. Of several nodes it is each one's.
    /// </summary>
    public int Threads { get; init; }

    /// <summary>8, 16 or 32, where the model can; null for the dialect's own.</summary>
    public int? OutputStride { get; init; }

    /// <summary>A dialect's name; null to recognise it from the file.</summary>
    public string? Dialect { get; init; }

    /// <summary>
    /// Numeric switches that the file cannot tell, by name; <see cref="ModelInfo.Switches"/> lists them.
    /// </summary>
    public IReadOnlyDictionary<string, string> Switches { get; init; } = new Dictionary<string, string>();

    /// <summary>Replaces the dialect's pre-processing.</summary>
    public PreprocessingSpec? Preprocessing { get; init; }

    /// <summary>Names of the classes; null for the file's own, where it has them.</summary>
    public IReadOnlyList<string>? ClassNames { get; init; }

    /// <summary>Sharpens every mask along the picture's own edges with a fully-connected CRF; null for none.</summary>
    public DenseCrfParameters? Crf { get; init; }

    /// <summary>
    /// Is told how far the CRF of each picture is, on the thread that refines it: before it begins, with the memory
    /// that it is expected to take, and after each iteration. Null for nobody.
    /// </summary>
    public IProgress<CrfProgress>? CrfProgress { get; init; }

    /// <summary>
    /// Slides a window over every picture, which the network then sees at its own scale whatever the pre-processing's
    /// resize says; null for the picture as a whole. Not together with <see cref="Crf"/>.
    /// </summary>
    public SlidingWindow? Window { get; init; }

    /// <summary>Scores every picture (or window) at several scales and mirrored; null for once, as it is.</summary>
    public TestTimeAugmentation? Augmentation { get; init; }

    /// <summary>
    /// Most pictures of equal size, or windows of a picture, that run together; see <see cref="Segmenter.BatchOf"/>.
    /// </summary>
    public int MaxBatch { get; init; } = 4;

    /// <summary>Input shapes whose plans are kept ready; the least recently used one makes room.</summary>
    public int CachedShapes { get; init; } = 8;

    /// <summary>Bytes of scores that the last two rows of windows may share; tests set it lower.</summary>
    internal long MostSharedBytes { get; init; } = 1L << 29;

    /// <summary>What the CRF of one picture may reserve, with the network's scores; tests set it lower.</summary>
    internal long MostCrfBytes { get; init; } = CrfSize.MaxBytes;

    /// <summary>The number format in force for a model.</summary>
    /// <exception cref="UnavailableException">int8 was asked for, and the model was not quantised.</exception>
    internal Precision PrecisionFor(bool isQuantized)
    {
        bool prefersInt8 = isQuantized && Backend is null && BackendRegistry.PrefersInt8(Device);
        Precision precision = Precision ?? (prefersInt8 ? Atrous.Precision.Int8 : Atrous.Precision.Fp32);
        return precision != Atrous.Precision.Int8 || isQuantized
            ? precision
            : throw new UnavailableException(
                "int8 takes a model that was quantised, and this one was not; quantise it on some pictures of its "
                + "kind.")
            {
                Remedy = Remedy.Quantize,
            };
    }
}
