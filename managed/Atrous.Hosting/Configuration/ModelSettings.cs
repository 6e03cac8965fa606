using Atrous.Catalog;
using Atrous.Postprocessing;
using Atrous.Scoring;
using Microsoft.Extensions.Configuration;

namespace Atrous.Hosting.Configuration;

/// <summary>A model as configurations have it; null is what they do not say.</summary>
internal sealed class ModelSettings
{
    public string? Path { get; set; }

    public double? Weight { get; set; }

    /// <summary>"512x768": height and width.</summary>
    public string[]? WarmUp { get; set; }

    public SegmenterSettings? Segmenter { get; set; }

    public BatchingSettings? Batching { get; set; }

    /// <exception cref="UnavailableException">A setting is none.</exception>
    public static void Check(IConfiguration section)
    {
        KnownSettings.Check<ModelSettings>(section);
        IConfigurationSection segmenter = section.GetSection(nameof(Segmenter));
        KnownSettings.Check<SegmenterSettings>(segmenter);
        KnownSettings.Check<WindowSettings>(segmenter.GetSection(nameof(SegmenterSettings.Window)));
        KnownSettings.Check<AugmentationSettings>(segmenter.GetSection(nameof(SegmenterSettings.Augmentation)));
        KnownSettings.Check<BatchingSettings>(section.GetSection(nameof(Batching)));
    }

    /// <summary>A model's options with these in their place.</summary>
    /// <exception cref="AtrousException">There is no such model, or a value is out of its bounds.</exception>
    public ModelOptions Over(ModelOptions model) => model with
    {
        Path = Path is { Length: > 0 } path ? ModelPath.Resolve(path) : model.Path,
        Weight = Weight ?? model.Weight,
        WarmUp = WarmUp is null ? model.WarmUp : [.. WarmUp.Select(Size)],
        Segmenter = Segmenter?.Over(model.Segmenter) ?? model.Segmenter,
        Batching = Batching?.Over(model.Batching) ?? model.Batching,
    };

    private static (int Height, int Width) Size(string text)
    {
        string[] sides = text.Split('x');
        return sides.Length == 2 && int.TryParse(sides[0], out int height) && int.TryParse(sides[1], out int width)
            ? (height, width)
            : throw new UnavailableException(
                $"A size of WarmUp is HEIGHTxWIDTH, such as 512x768, and not '{text}'.");
    }
}

/// <summary>How a model is loaded and run, as configurations have it.</summary>
internal sealed class SegmenterSettings
{
    public string? Device { get; set; }

    public Precision? Precision { get; set; }

    public int? Threads { get; set; }

    public int? OutputStride { get; set; }

    public string? Dialect { get; set; }

    public Dictionary<string, string>? Switches { get; set; }

    public string[]? ClassNames { get; set; }

    /// <summary>"deeplabv2" and so on.</summary>
    public string? Crf { get; set; }

    public WindowSettings? Window { get; set; }

    public AugmentationSettings? Augmentation { get; set; }

    public int? CachedShapes { get; set; }

    /// <summary>A model's options with these in their place.</summary>
    public SegmenterOptions Over(SegmenterOptions options) => options with
    {
        Device = Device ?? options.Device,
        Precision = Precision ?? options.Precision,
        Threads = Threads ?? options.Threads,
        OutputStride = OutputStride ?? options.OutputStride,
        Dialect = Dialect ?? options.Dialect,
        Switches = Switches ?? options.Switches,
        ClassNames = ClassNames ?? options.ClassNames,
        Crf = Crf is { Length: > 0 } crf ? DenseCrfParameters.ByName(crf) : options.Crf,
        Window = Window?.ToWindow() ?? options.Window,
        Augmentation = Augmentation?.ToAugmentation() ?? options.Augmentation,
        CachedShapes = CachedShapes ?? options.CachedShapes,
    };
}

/// <summary>A window that slides, as configurations have it.</summary>
internal sealed class WindowSettings
{
    public int? Size { get; set; }

    public double? Overlap { get; set; }

    /// <exception cref="UnavailableException">A value is out of its bounds.</exception>
    public SlidingWindow ToWindow()
    {
        int size = Size ?? throw new UnavailableException("A Window has a Size, in pixels; give it.");
        if (size is < SlidingWindow.LeastSize or > SlidingWindow.MostSize)
            throw new UnavailableException(
                $"A Window's Size is {size}; it is a number from {SlidingWindow.LeastSize} to "
                + $"{SlidingWindow.MostSize}.");
        return Overlap is null ? new SlidingWindow(size)
            : Overlap is >= 0 and <= SlidingWindow.MostOverlap ? new SlidingWindow(size, Overlap.Value)
            : throw new UnavailableException(
                $"A Window's Overlap is {Overlap}; it is a number from 0 to {SlidingWindow.MostOverlap}.");
    }
}

/// <summary>Scales and mirror images, as configurations have them.</summary>
internal sealed class AugmentationSettings
{
    public double[]? Scales { get; set; }

    public bool? Flip { get; set; }

    /// <exception cref="UnavailableException">A scale is out of its bounds.</exception>
    public TestTimeAugmentation ToAugmentation()
    {
        try
        {
            return new TestTimeAugmentation(Scales ?? [1], Flip ?? false);
        }
        catch (ArgumentException)
        {
            throw new UnavailableException(
                $"An Augmentation has 1 to {TestTimeAugmentation.MostScales} Scales, each from "
                + $"{TestTimeAugmentation.LeastScale} to {TestTimeAugmentation.MostScale}.");
        }
    }
}

/// <summary>How requests wait and run together, as configurations have it.</summary>
internal sealed class BatchingSettings
{
    public int? MaxBatch { get; set; }

    public TimeSpan? MaxDelay { get; set; }

    public int? QueueLimit { get; set; }

    public TimeSpan? Timeout { get; set; }

    public int? PriorityLevels { get; set; }

    public int? DefaultPriority { get; set; }

    /// <summary>A model's options with these in their place.</summary>
    public BatchingOptions Over(BatchingOptions options) => options with
    {
        MaxBatch = MaxBatch ?? options.MaxBatch,
        MaxDelay = MaxDelay ?? options.MaxDelay,
        QueueLimit = QueueLimit ?? options.QueueLimit,
        Timeout = Timeout ?? options.Timeout,
        PriorityLevels = PriorityLevels ?? options.PriorityLevels,
        DefaultPriority = DefaultPriority ?? options.DefaultPriority,
    };
}
