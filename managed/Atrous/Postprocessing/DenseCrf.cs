using Atrous.Imaging;
using Atrous.Native;
using Atrous.Tensors;

namespace Atrous.Postprocessing;

/// <summary>
/// The fully-connected CRF of Krähenbühl and Koltun, "Efficient Inference in Fully Connected CRFs with Gaussian Edge
/// Potentials" (NIPS 2011), which DeepLabV1 and V2 sharpen their masks with: mean field, filtered on the permutohedral
/// lattice (Adams, Baek, Davis 2010). Results are pydensecrf's to float32 rounding, and the same for any number of
/// threads.
/// </summary>
/// <remarks>
/// Set the unaries, add kernels (they act in the order in which they are added), then <see cref="Infer"/>. Pixel (y, x)
/// is number y * width + x. One caller at a time; dispose it to give back its memory, which is large: some 100 to 400
/// bytes a pixel and kernel, and 4 bytes a pixel or lattice vertex and label.
/// </remarks>
public sealed unsafe class DenseCrf : IDisposable
{
    private readonly EngineHandle? _ownEngine;
    private readonly CrfHandle _crf;

    /// <summary>A CRF with zero unaries and no kernel, on threads of its own.</summary>
    /// <param name="height">The number of rows; 1 for a CRF that is no picture.</param>
    /// <param name="width">The number of pixels in a row; of variables for a CRF that is no picture.</param>
    /// <param name="labels">The number of classes, 1 to 65536.</param>
    /// <param name="threads">The caller's included; 0 means one per core that the process may use.</param>
    /// <param name="memoryLimit">The number of bytes that it may hold; 0 means what the system has to give.</param>
    /// <exception cref="MemoryException">It would need more memory than that: the message says how much.</exception>
    public DenseCrf(int height, int width, int labels, int threads = 0, long memoryLimit = 0)
        : this(new EngineHandle(threads), height, width, labels, memoryLimit, ownsEngine: true)
    {
    }

    internal DenseCrf(EngineHandle engine, int height, int width, int labels, long memoryLimit = 0)
        : this(engine, height, width, labels, memoryLimit, ownsEngine: false)
    {
    }

    private DenseCrf(EngineHandle engine, int height, int width, int labels, long memoryLimit, bool ownsEngine)
    {
        try
        {
            ArgumentOutOfRangeException.ThrowIfLessThan(height, 1);
            ArgumentOutOfRangeException.ThrowIfLessThan(width, 1);
            ArgumentOutOfRangeException.ThrowIfLessThan(labels, 1);
            ArgumentOutOfRangeException.ThrowIfGreaterThan(labels, ushort.MaxValue + 1);
            ArgumentOutOfRangeException.ThrowIfNegative(memoryLimit);
            (Height, Width, Labels) = (height, width, labels);
            _crf = new CrfHandle(
                engine, new NativeCrf { Height = height, Width = width, Labels = labels, MemoryLimit = memoryLimit });
            _ownEngine = ownsEngine ? engine : null;
        }
        catch when (ownsEngine)
        {
            engine.Dispose();
            throw;
        }
    }

    /// <summary>Pixels of a row.</summary>
    public int Width { get; }

    /// <summary>Rows.</summary>
    public int Height { get; }

    /// <summary>Classes.</summary>
    public int Labels { get; }

    private long Pixels => (long)Width * Height;

    /// <summary>Sets the unaries, as pydensecrf's setUnaryEnergy does.</summary>
    /// <param name="energies">The negative log-probabilities, [labels, height * width].</param>
    /// <exception cref="ArgumentException">There are not that many, or one is not a finite number.</exception>
    public void SetUnary(ReadOnlySpan<float> energies)
    {
        CheckLength(energies.Length, Labels * Pixels, nameof(energies));
        fixed (float* data = energies)
        {
            LibAtrous.ThrowIfFailed(LibAtrous.CrfSetUnary(_crf, new NativeCrfScores
            {
                Data = data,
                LabelStride = Pixels,
                PixelStride = 1,
                Form = (int)CrfScores.Energies,
                Scale = 1,
            }));
        }
    }

    /// <summary>Sets the unaries from a network's output.</summary>
    /// <param name="scores">A tensor in NHWC, float32, of this CRF's size, with a channel per label.</param>
    /// <param name="form">What the scores are.</param>
    /// <param name="clip">
    /// Probabilities below this become it, so that the logarithm stays finite; 0 does nothing.
    /// </param>
    /// <param name="scale">
    /// The certainty of the scores, above 0 and at most 1: p becomes scale * p + (1 - scale) / labels. 1 does nothing.
    /// </param>
    /// <param name="index">Which picture of the batch.</param>
    /// <exception cref="ArgumentException">
    /// The tensor has another shape or type, or an energy is not a finite number.
    /// </exception>
    public void SetUnary(Tensor scores, CrfScores form, float clip = 1e-5f, float scale = 1, int index = 0)
    {
        ArgumentNullException.ThrowIfNull(scores);
        Shape shape = scores.Shape;
        ArgumentOutOfRangeException.ThrowIfNegative(index);
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(index, shape.Batch);
        if (scores.Type != DType.Float32 || (shape.Height, shape.Width, shape.Channels) != (Height, Width, Labels))
        {
            throw new ArgumentException(
                $"The scores are {shape} {scores.Type}; this CRF needs {shape.Batch}x{Height}x{Width}x{Labels} " +
                $"{DType.Float32}.",
                nameof(scores));
        }
        using var held = new TensorLease([scores]);
        LibAtrous.ThrowIfFailed(LibAtrous.CrfSetUnary(_crf, new NativeCrfScores
        {
            Data = (float*)scores.Pointer + index * Pixels * Labels,
            LabelStride = 1,
            PixelStride = Labels,
            Form = (int)form,
            Scale = scale,
            Clip = clip,
        }));
    }

    /// <summary>Adds the smoothness kernel exp(-(Δx²/σx² + Δy²/σy²) / 2).</summary>
    /// <param name="sigmaX">The kernel's standard deviation along a row, in pixels.</param>
    /// <param name="sigmaY">The kernel's standard deviation along a column, in pixels.</param>
    /// <param name="compatibility">A weight, or a <see cref="CrfCompatibility"/>.</param>
    /// <param name="normalization">How the kernel is scaled.</param>
    /// <exception cref="ArgumentException">A sigma is not positive, or too small for the lattice.</exception>
    /// <exception cref="ImageException">There are more pixels than the lattice can count (2^31 / 3).</exception>
    /// <exception cref="MemoryException">The lattice needs more memory than there is.</exception>
    public void AddGaussian(
        float sigmaX, float sigmaY, CrfCompatibility compatibility,
        CrfNormalization normalization = CrfNormalization.Symmetric)
    {
        fixed (float* values = Checked(compatibility))
            LibAtrous.ThrowIfFailed(
                LibAtrous.CrfAddGaussian(_crf, sigmaX, sigmaY, Kernel(compatibility, normalization, values)));
    }

    /// <summary>
    /// Adds the appearance kernel exp(-(Δx²/σx² + Δy²/σy² + Σ Δchannel²/σchannel²) / 2): like colours near each other.
    /// </summary>
    /// <param name="sigmaX">The kernel's standard deviation along a row, in pixels.</param>
    /// <param name="sigmaY">The kernel's standard deviation along a column, in pixels.</param>
    /// <param name="sigmaChannels">
    /// The standard deviation in grey levels of 0 to 255: one for all channels, or one per channel in the image's
    /// order.
    /// </param>
    /// <param name="image">
    /// A picture of this CRF's size, with any channels. RGB or BGR: with one sigma for all, the order changes only the
    /// lattice's rounding.
    /// </param>
    /// <param name="compatibility">A weight, or a <see cref="CrfCompatibility"/>.</param>
    /// <param name="normalization">How the kernel is scaled.</param>
    /// <inheritdoc cref="AddGaussian" path="/exception"/>
    public void AddBilateral(
        float sigmaX,
        float sigmaY,
        ReadOnlySpan<float> sigmaChannels,
        Image image,
        CrfCompatibility compatibility,
        CrfNormalization normalization = CrfNormalization.Symmetric)
    {
        ArgumentNullException.ThrowIfNull(image);
        if (sigmaChannels.Length != 1 && sigmaChannels.Length != image.Channels)
        {
            throw new ArgumentException(
                $"There are {sigmaChannels.Length} sigmas for {image.Channels} channels; give one, or one per channel.",
                nameof(sigmaChannels));
        }
        Span<float> sigmas = stackalloc float[image.Channels];
        for (int c = 0; c < sigmas.Length; c++)
            sigmas[c] = sigmaChannels[sigmaChannels.Length == 1 ? 0 : c];
        using PixelLease pixels = image.Lease();
        fixed (float* values = Checked(compatibility), channels = sigmas)
        {
            LibAtrous.ThrowIfFailed(LibAtrous.CrfAddBilateral(
                _crf, sigmaX, sigmaY, channels, in pixels.Image, Kernel(compatibility, normalization, values)));
        }
    }

    /// <summary>
    /// Adds the kernel exp(-|f(p) - f(q)|² / 2) of any features, as pydensecrf's addPairwiseEnergy does.
    /// </summary>
    /// <param name="features">The features as [dims, height * width], each divided by its standard deviation.</param>
    /// <param name="dims">The number of features of a pixel, 1 to 256.</param>
    /// <param name="compatibility">A weight, or a <see cref="CrfCompatibility"/>.</param>
    /// <param name="normalization">How the kernel is scaled.</param>
    /// <exception cref="ArgumentException">
    /// There are not that many features, or one is not finite or too far from 0.
    /// </exception>
    /// <inheritdoc cref="AddGaussian" path="/exception"/>
    public void AddFeatures(
        ReadOnlySpan<float> features,
        int dims,
        CrfCompatibility compatibility,
        CrfNormalization normalization = CrfNormalization.Symmetric)
    {
        CheckLength(features.Length, dims * Pixels, nameof(features));
        fixed (float* values = Checked(compatibility), data = features)
            LibAtrous.ThrowIfFailed(
                LibAtrous.CrfAddFeatures(_crf, dims, data, Kernel(compatibility, normalization, values)));
    }

    /// <summary><see cref="Start"/>, then so many times <see cref="Step"/>.</summary>
    /// <param name="iterations">The number of iterations, at least 0.</param>
    /// <param name="cancellationToken">Is looked at between two iterations.</param>
    /// <exception cref="OperationCanceledException">
    /// Cancelled; the beliefs are those of the last whole iteration.
    /// </exception>
    public void Infer(int iterations, CancellationToken cancellationToken = default)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(iterations);
        Start();
        for (int i = 0; i < iterations; i++)
        {
            cancellationToken.ThrowIfCancellationRequested();
            Step();
        }
    }

    /// <summary>Sets the beliefs to softmax(-unary).</summary>
    public void Start() => LibAtrous.ThrowIfFailed(LibAtrous.CrfStart(_crf));

    /// <summary>One iteration of mean field (algorithm 1 of the paper).</summary>
    /// <exception cref="ArgumentException">There are no beliefs yet: call <see cref="Start"/>.</exception>
    public void Step() => LibAtrous.ThrowIfFailed(LibAtrous.CrfStep(_crf, 1));

    /// <summary>KL(Q || P) of the beliefs, without the constant log Z: each iteration should lower it.</summary>
    /// <exception cref="ArgumentException">There are no beliefs yet: call <see cref="Start"/>.</exception>
    public double KlDivergence()
    {
        LibAtrous.ThrowIfFailed(LibAtrous.CrfKlDivergence(_crf, out double divergence));
        return divergence;
    }

    /// <summary>Writes the beliefs Q, [labels, height * width]; over the labels they sum to 1.</summary>
    /// <param name="destination">The memory for labels * height * width numbers.</param>
    /// <exception cref="ArgumentException">There are no beliefs yet, or not that many elements.</exception>
    public void CopyBeliefs(Span<float> destination)
    {
        CheckLength(destination.Length, Labels * Pixels, nameof(destination));
        fixed (float* beliefs = destination)
            LibAtrous.ThrowIfFailed(LibAtrous.CrfBeliefs(_crf, beliefs, Pixels, 1));
    }

    /// <summary>The beliefs Q in a new NHWC tensor, 1 x height x width x labels. The caller disposes it.</summary>
    /// <exception cref="ArgumentException">There are no beliefs yet.</exception>
    public Tensor Beliefs()
    {
        var beliefs = new Tensor(new Shape(1, Height, Width, Labels));
        try
        {
            WriteBeliefs(beliefs, index: 0);
            return beliefs;
        }
        catch
        {
            beliefs.Dispose();
            throw;
        }
    }

    /// <summary>As <see cref="Beliefs"/>, into a picture of a tensor of this size: the scores' own, say.</summary>
    internal void WriteBeliefs(Tensor to, int index)
    {
        using var held = new TensorLease([to]);
        LibAtrous.ThrowIfFailed(
            LibAtrous.CrfBeliefs(_crf, (float*)to.Pointer + index * Pixels * Labels, 1, Labels));
    }

    /// <summary>Writes the most probable label of every pixel, the lowest among equals, [height, width].</summary>
    /// <param name="destination">The memory for height * width labels.</param>
    /// <exception cref="ArgumentException">There are no beliefs yet, or not that many elements.</exception>
    public void CopyLabels(Span<ushort> destination)
    {
        CheckLength(destination.Length, Pixels, nameof(destination));
        fixed (ushort* labels = destination)
            LibAtrous.ThrowIfFailed(LibAtrous.CrfLabels(_crf, labels));
    }

    public void Dispose()
    {
        _crf.Dispose();
        _ownEngine?.Dispose();
    }

    private static NativeCrfKernel Kernel(
        CrfCompatibility compatibility, CrfNormalization normalization, float* values) => new()
        {
            Normalization = (int)normalization,
            Compatibility = compatibility.Kind,
            CompatibilityValues = values,
        };

    private static void CheckLength(long length, long wanted, string name)
    {
        if (length != wanted)
            throw new ArgumentException($"There are {length} elements; this CRF needs {wanted}.", name);
    }

    private float[] Checked(CrfCompatibility compatibility)
    {
        ArgumentNullException.ThrowIfNull(compatibility);
        compatibility.Check(Labels);
        return compatibility.Values;
    }
}
