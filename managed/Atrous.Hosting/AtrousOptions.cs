using Atrous.Hosting.Configuration;
using Atrous.Imaging;
using Microsoft.Extensions.Configuration;

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
    /// Pixels that the network may see at a time of a request with windows or scales of its own
    /// (<see cref="SegmentRequest.Scoring"/>), where it would not see as many of the picture without them.
    /// </summary>
    public long MaxNetworkPixels { get; set; } = 1 << 22;

    /// <summary>
    /// Bytes that the pictures of files may take together, decoded, with their masks; requests wait for their turn.
    /// Null for a quarter of the memory that the process may use.
    /// </summary>
    public long? MaxPictureBytes { get; set; }

    /// <summary>
    /// Starts the host before the models are loaded; a failure then shows in <see cref="IModelCatalog.Models"/> and the
    /// health checks. Otherwise the host starts when all are warm, and a failure stops it.
    /// </summary>
    public bool LoadInBackground { get; set; }

    /// <summary>
    /// Takes what a section of a configuration says: of these options, of its Models by their names, and of their
    /// Segmenter and Batching. Names are those of the properties, in any case; a model's Crf is the name of one, its
    /// WarmUp a list such as "512x512", and its Path may be the name of a pulled model.
    /// </summary>
    /// <param name="section">
    /// The section, often "Atrous". Its part Server is what the tool's server reads, and is left alone.
    /// </param>
    /// <returns>These options, so that calls can be chained.</returns>
    /// <exception cref="UnavailableException">
    /// A setting is misspelt, or its value is not sound; nothing is passed by.
    /// </exception>
    /// <exception cref="ModelException">There is no model of a Path that is a name.</exception>
    public AtrousOptions Configure(IConfiguration section)
    {
        ArgumentNullException.ThrowIfNull(section);
        AtrousSettings.Of(section).Over(this);
        return this;
    }

    /// <summary>Makes other options say what these say.</summary>
    /// <param name="options">The options that are changed; their models are these, and no others.</param>
    public void CopyTo(AtrousOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        options.Models.Clear();
        foreach ((string name, ModelOptions model) in Models)
            options.Models.Add(name, model);
        options.DefaultModel = DefaultModel;
        options.MaxPixels = MaxPixels;
        options.MaxNetworkPixels = MaxNetworkPixels;
        options.MaxPictureBytes = MaxPictureBytes;
        options.LoadInBackground = LoadInBackground;
    }

    /// <summary>Adds a model.</summary>
    /// <param name="name">The name by which requests and <see cref="IModelCatalog"/> know the model.</param>
    /// <param name="path">
    /// The checkpoint's file or folder, as <see cref="Segmenter.Load(string, SegmenterOptions?)"/> takes it.
    /// </param>
    /// <param name="segmenter">The device, precision and output stride of the model; null for the defaults.</param>
    /// <param name="batching">How the model's requests wait and run together; null for the defaults.</param>
    /// <returns>These options, so that calls can be chained.</returns>
    /// <exception cref="ArgumentException">The name is taken.</exception>
    public AtrousOptions AddModel(
        string name, string path, SegmenterOptions? segmenter = null, BatchingOptions? batching = null)
    {
        Models.Add(
            name, new ModelOptions { Path = path, Segmenter = segmenter ?? new(), Batching = batching ?? new() });
        return this;
    }

    /// <summary>
    /// Adds the network that comes with Atrous, 11 classes of road scenes, under its own name "atrous-street"
    /// (<see cref="Catalog.DefaultModel"/>). As with <see cref="AddModel"/>, the model that is added first is injected
    /// unless <see cref="DefaultModel"/> names another.
    /// </summary>
    /// <inheritdoc cref="AddModel" path="/param[@name!='name' and @name!='path']"/>
    /// <inheritdoc cref="AddModel" path="/returns"/>
    /// <exception cref="ArgumentException">The network was added before.</exception>
    public AtrousOptions AddDefaultModel(SegmenterOptions? segmenter = null, BatchingOptions? batching = null) =>
        AddModel(Catalog.DefaultModel.Name, Catalog.DefaultModel.Path, segmenter, batching);
}

/// <summary>One model.</summary>
public sealed record ModelOptions
{
    /// <summary>
    /// What <see cref="Segmenter.Load(string, SegmenterOptions?)"/> takes: a file or a folder. Read again at every
    /// reload.
    /// </summary>
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
