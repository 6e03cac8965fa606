using Atrous.Imaging;

namespace Atrous.Hosting;

/// <summary>The models that a service has, and its limits. Checked when the host starts.</summary>
public sealed class AtrousOptions
{
    /// <summary>The models by name. Names have 1 to 128 letters, digits, dots, hyphens and underscores.</summary>
    public IDictionary<string, ModelOptions> Models { get; } =
        new OrderedDictionary<string, ModelOptions>(StringComparer.Ordinal);

    /// <summary>The model behind the injected <see cref="IServedModel"/>; null for the first one.</summary>
    public string? DefaultModel { get; set; }

    /// <summary>Pixels that a picture may have; a file's header is asked before anything is decoded.</summary>
    public long MaxPixels { get; set; } = 1 << 25;

    /// <summary>
    /// Starts the host before the models are loaded; a failure then shows in <see cref="IModelCatalog.Models"/> and the
    /// health checks. Otherwise the host starts when all are warm, and a failure stops it.
    /// </summary>
    public bool LoadInBackground { get; set; }

    /// <summary>Adds a model.</summary>
    /// <param name="name">By which requests and <see cref="IModelCatalog"/> name it.</param>
    /// <param name="path">What <see cref="Segmenter.Load"/> takes.</param>
    /// <param name="segmenter">Device, precision, output stride; null for the defaults.</param>
    /// <param name="batching">Queue and batches; null for the defaults.</param>
    /// <exception cref="ArgumentException">The name is taken.</exception>
    public AtrousOptions AddModel(
        string name, string path, SegmenterOptions? segmenter = null, BatchingOptions? batching = null)
    {
        Models.Add(
            name, new ModelOptions { Path = path, Segmenter = segmenter ?? new(), Batching = batching ?? new() });
        return this;
    }
}

/// <summary>One model.</summary>
public sealed record ModelOptions
{
    /// <summary>What <see cref="Segmenter.Load"/> takes: a file or a folder. Read again at every reload.</summary>
    public required string Path { get; init; }

    /// <summary>How it is loaded and run.</summary>
    public SegmenterOptions Segmenter { get; init; } = new();

    /// <summary>How its requests wait and run together.</summary>
    public BatchingOptions Batching { get; init; } = new();

    /// <summary>Its part of the device's time while others want the device too, relative to theirs.</summary>
    public double Weight { get; init; } = 1;

    /// <summary>Sizes (height, width) of the pictures that warm it up, at every batch size.</summary>
    public IReadOnlyList<(int Height, int Width)> WarmUp { get; init; } = [(512, 512)];
}
