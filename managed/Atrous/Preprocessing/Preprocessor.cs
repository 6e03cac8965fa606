using Atrous.Imaging;
using Atrous.Native;
using Atrous.Specs;
using Atrous.Tensors;

namespace Atrous.Preprocessing;

/// <summary>
/// Turns pictures into a network's input: channels, size, then (pixel * scale - mean) / std. Safe to use from many
/// threads.
/// </summary>
public sealed unsafe class Preprocessor : IDisposable
{
    private readonly EngineHandle _engine;
    private readonly bool _ownsEngine;
    private readonly float[] _mean;
    private readonly float[] _std;
    private readonly float[] _fill;
    private readonly int _minimumSide;

    /// <summary>A preprocessor with threads of its own.</summary>
    /// <param name="spec">What the network wants.</param>
    /// <param name="threads">The number of threads, the caller's own included; 0 takes one per core.</param>
    /// <param name="minimumSide">The smallest input that the network can take; less is filled up with the mean.</param>
    /// <exception cref="ArgumentException">
    /// The spec contradicts itself: not one mean and one positive std per channel.
    /// </exception>
    public Preprocessor(PreprocessingSpec spec, int threads = 0, int minimumSide = 1)
        : this(Checked(spec), new EngineHandle(threads), ownsEngine: true, minimumSide)
    {
    }

    /// <summary>A preprocessor on threads that something else owns.</summary>
    internal Preprocessor(PreprocessingSpec spec, EngineHandle engine, int minimumSide = 1)
        : this(Checked(spec), engine, ownsEngine: false, minimumSide)
    {
    }

    private Preprocessor(PreprocessingSpec spec, EngineHandle engine, bool ownsEngine, int minimumSide)
    {
        (_engine, _ownsEngine, _minimumSide) = (engine, ownsEngine, minimumSide);
        Spec = spec;
        _mean = [.. spec.Mean];
        _std = [.. spec.Std];
        _fill = new float[spec.Channels];
        // Around a letterboxed picture lies what the policy says, around one that is too small the mean: zeros to the
        // network.
        for (int c = 0; c < _fill.Length; c++)
            _fill[c] = spec.Resize is ResizePolicy.Letterbox box ? box.Fill : _mean[c] / spec.Scale;
    }

    public PreprocessingSpec Spec { get; }

    /// <summary>What lies around a picture that does not fill the input, per channel, as a byte's value.</summary>
    internal IReadOnlyList<float> Fill => _fill;

    /// <summary>Prepares one picture: a batch of 1.</summary>
    /// <param name="image">A picture with the channels of the network's input.</param>
    /// <exception cref="ImageException">Its channels do not suit the network, or it would become too large.</exception>
    public NetworkInput Prepare(Image image) => Prepare([image]);

    /// <summary>Prepares pictures of equal plan (equal size suffices) as one batch.</summary>
    /// <param name="images">Pictures whose inputs have one size; at least one.</param>
    /// <exception cref="ImageException">
    /// Channels do not suit the network, or a picture would become too large.
    /// </exception>
    /// <exception cref="ArgumentException">There is no picture, or the plans differ.</exception>
    public NetworkInput Prepare(params ReadOnlySpan<Image> images)
    {
        if (images.IsEmpty)
            throw new ArgumentException("A batch needs at least one picture.", nameof(images));
        PreprocessingPlan plan = PlanOf(images[0]);
        foreach (Image image in images[1..])
        {
            PreprocessingPlan other = PlanOf(image);
            if (other != plan)
            {
                throw new ArgumentException(
                    $"A picture of {image.Width} x {image.Height} becomes {other.Height}x{other.Width}, the first of " +
                    $"the batch {plan.Height}x{plan.Width}; put only pictures of equal plan into one.", nameof(images));
            }
        }
        return Prepare(plan, images);
    }

    /// <summary>Prepares pictures of one size as one batch, by the plan that the caller has made for them.</summary>
    internal NetworkInput Prepare(PreprocessingPlan plan, ReadOnlySpan<Image> images)
    {
        var input =
            new NetworkInput(new Tensor(new Shape(images.Length, plan.Height, plan.Width, Spec.Channels)), plan);
        try
        {
            for (int i = 0; i < images.Length; i++)
                Write(images[i], plan, input.Tensor, i);
            return input;
        }
        catch
        {
            input.Dispose();
            throw;
        }
    }

    private void Write(Image image, PreprocessingPlan plan, Tensor batch, int index)
    {
        int[]? order = ChannelOrders.For(Spec, image);
        using Image? grey = order is null ? image.WithChannels(1) : null;
        Image source = grey ?? image;
        float* target = (float*)batch.Pointer + index * (batch.Shape.Elements / batch.Shape.Batch);
        if (source.IsDeep)
        {
            new DeepPicture(source, FilterFor(source.Height, source.Width, plan.Window)).Write(
                Spec, _fill, order ?? [0], plan, new Span<float>(target, plan.Height * plan.Width * Spec.Channels));
            GC.KeepAlive(batch);
            return;
        }
        using Image? resized = Resize(source, plan.Window);
        Normalize(resized ?? source, order ?? [0], plan, target);
        GC.KeepAlive(batch);
    }

    public void Dispose()
    {
        if (_ownsEngine)
            _engine.Dispose();
    }

    // Before an engine is started, which nobody would stop.
    private static PreprocessingSpec Checked(PreprocessingSpec spec)
    {
        ArgumentNullException.ThrowIfNull(spec);
        if (spec.Mean.Count == 0 || spec.Mean.Count != spec.Std.Count)
        {
            throw new ArgumentException(
                $"There are {spec.Mean.Count} means and {spec.Std.Count} stds; give one of each per channel.",
                nameof(spec));
        }
        if (!(spec.Scale > 0) || spec.SizeMultiple < 1 || spec.Std.Any(std => !(std > 0)))
            throw new ArgumentException("The scale, every std and the size's multiple must be positive.", nameof(spec));
        return spec;
    }

    /// <summary>What becomes of a picture.</summary>
    /// <param name="image">A picture, of which the size alone counts.</param>
    /// <param name="scale">The factor on the size that the spec asks for.</param>
    /// <exception cref="ImageException">It would become too large.</exception>
    public PreprocessingPlan PlanOf(Image image, double scale = 1)
    {
        ArgumentNullException.ThrowIfNull(image);
        return PlanOf(image.Height, image.Width, scale);
    }

    /// <inheritdoc cref="PlanOf(Image, double)"/>
    internal PreprocessingPlan PlanOf(int height, int width, double scale = 1) =>
        PreprocessingPlan.For(Spec, height, width, _minimumSide, scale);

    /// <summary>The filter that brings a picture of a size to another.</summary>
    internal ResizeFilter FilterFor(int height, int width, PictureWindow window) =>
        Spec.EnlargingFilter is { } filter && window.Height >= height && window.Width >= width
            ? filter
            : Spec.Filter;

    /// <summary>A smaller copy of a picture, each pixel the mean of those that it stands for.</summary>
    internal Image Smaller(Image image, int height, int width) =>
        Resize(image, height, width, ResizeFilter.Bilinear);

    private Image? Resize(Image image, PictureWindow window) =>
        image.Height == window.Height && image.Width == window.Width
            ? null
            : Resize(image, window.Height, window.Width, FilterFor(image.Height, image.Width, window));

    private Image Resize(Image image, int height, int width, ResizeFilter filter)
    {
        var resized = new Image(height, width, image.Format);
        try
        {
            using PixelLease from = image.Lease(), to = resized.Lease();
            LibAtrous.ThrowIfFailed(LibAtrous.ImageResize(_engine, in from.Image, (int)filter, in to.Image));
            return resized;
        }
        catch
        {
            resized.Dispose();
            throw;
        }
    }

    private void Normalize(Image image, int[] order, PreprocessingPlan plan, float* target)
    {
        using PixelLease pixels = image.Lease();
        var output = new NativeTensor(target, Spec.Channels, 1, plan.Height, plan.Width, Spec.Channels);
        fixed (float* mean = _mean, std = _std, fill = _fill)
        fixed (int* sources = order)
        {
            var desc = new NativeNormalize
            {
                Scale = Spec.Scale,
                Top = plan.Window.Top,
                Left = plan.Window.Left,
                Mean = mean,
                Std = std,
                Fill = fill,
                Order = sources,
            };
            LibAtrous.ThrowIfFailed(LibAtrous.Normalize(_engine, in pixels.Image, in desc, in output));
        }
    }
}
