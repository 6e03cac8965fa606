using System.Diagnostics;
using Atrous.Backends;
using Atrous.Backends.Cpu;
using Atrous.Catalog;
using Atrous.Checkpoints;
using Atrous.Graph;
using Atrous.Imaging;
using Atrous.Models;
using Atrous.Postprocessing;
using Atrous.Preprocessing;
using Atrous.Specs;
using Atrous.Tensors;

namespace Atrous;

/// <summary>
/// Turns pictures into masks with the checkpoint that a framework wrote: the front door, and the only type that knows every
/// stage. Safe to use from many threads. It owns the open file, the packed weights and the thread pool until it is disposed.
/// </summary>
public sealed class Segmenter : IDisposable
{
    private readonly Checkpoint _checkpoint;
    private readonly ModelDescription _description;
    private readonly Model _model;
    private readonly IBackend _backend;
    private readonly Preprocessor _preprocessor;
    private readonly NetworkCache _networks;
    private readonly CrfStep? _crf;
    private readonly int _maxBatch;
    private bool _disposed;

    private Segmenter(Checkpoint checkpoint, SegmenterOptions options)
    {
        _checkpoint = checkpoint;
        _description = ModelInfo.Describe(checkpoint, options);
        _model = new Model(_description, checkpoint);
        Info = ModelInfo.Of(checkpoint, _description);
        _maxBatch = options.MaxBatch;
        _backend = BackendRegistry.Open(options.Device, options.Precision, options.Threads);
        try
        {
            _preprocessor = _backend is CpuBackend cpu
                ? new Preprocessor(_description.Preprocessing, cpu.Engine, _model.MinimumSide)
                : new Preprocessor(_description.Preprocessing, options.Threads, _model.MinimumSide);
            _crf = options.Crf is { } crf ? new CrfStep(crf, (_backend as CpuBackend)?.Engine, options.Threads) : null;
            _networks = new NetworkCache(_model, _backend, options.CachedShapes);
            // Every weight is read and packed now, so that a bad file is refused here and the first picture is not slow.
            _networks.Prepare();
        }
        catch
        {
            _preprocessor?.Dispose();
            _crf?.Dispose();
            _backend.Dispose();
            throw;
        }
    }

    /// <summary>What the model is.</summary>
    public ModelInfo Info { get; }

    /// <summary>The device in use: "cpu" or "reference".</summary>
    public string Device => _backend.Name;

    /// <summary>Opens a checkpoint and makes its network ready.</summary>
    /// <param name="path">
    /// A safetensors file, a PyTorch file (.pth, .pt, .ckpt, .pkl; zip or legacy), or a folder with config.json and weights.
    /// </param>
    /// <param name="options">Device, precision, threads, output stride, dialect; null for the defaults.</param>
    /// <exception cref="ModelException">The file is missing, broken, of no known dialect, or lacks weights.</exception>
    /// <exception cref="UnavailableException">The device, precision, output stride or switch is not to be had.</exception>
    public static Segmenter Load(string path, SegmenterOptions? options = null)
    {
        options ??= new SegmenterOptions();
        ArgumentOutOfRangeException.ThrowIfLessThan(options.MaxBatch, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(options.CachedShapes, 1);
        Checkpoint checkpoint = Checkpoint.Open(path);
        try
        {
            return new Segmenter(checkpoint, options);
        }
        catch
        {
            checkpoint.Dispose();
            throw;
        }
    }

    /// <summary>
    /// Makes the network that comes with Atrous ready: 11 classes of road scenes, see <see cref="DefaultModel"/>.
    /// </summary>
    /// <inheritdoc cref="Load" path="/param[@name='options']"/>
    /// <inheritdoc cref="Load" path="/exception"/>
    public static Segmenter LoadDefault(SegmenterOptions? options = null) => Load(DefaultModel.Path, options);

    /// <summary>The mask of a picture, at the picture's own height and width.</summary>
    /// <param name="photo">Not changed.</param>
    /// <param name="confidence">Also compute the softmax probability of every pixel's class.</param>
    /// <param name="cancellation">Looked at between two layers.</param>
    /// <exception cref="ImageException">The picture has not the channels that the model takes.</exception>
    /// <exception cref="AtrousException">Memory ran out.</exception>
    /// <exception cref="OperationCanceledException">Cancelled.</exception>
    public Segmentation Segment(Image photo, bool confidence = false, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(photo);
        return Run([photo], confidence, cancellation)[0];
    }

    /// <summary>
    /// The masks of some pictures, in their order. Pictures of one size run together, at most
    /// <see cref="SegmenterOptions.MaxBatch"/> at a time.
    /// </summary>
    /// <inheritdoc cref="Segment(Image, bool, CancellationToken)" path="/exception"/>
    public IReadOnlyList<Segmentation> Segment(
        IReadOnlyList<Image> photos, bool confidence = false, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(photos);
        var results = new Segmentation[photos.Count];
        foreach (var group in Enumerable.Range(0, photos.Count)
            .GroupBy(i => (photos[i].Height, photos[i].Width, photos[i].Channels)).SelectMany(group => group.Chunk(_maxBatch)))
        {
            Segmentation[] masks = Run([.. group.Select(i => photos[i])], confidence, cancellation);
            for (int i = 0; i < group.Length; i++)
                results[group[i]] = masks[i];
        }
        return results;
    }

    /// <summary>As <see cref="Segment(Image, bool, CancellationToken)"/>, on the thread pool. Keep the picture until the task ends.</summary>
    public Task<Segmentation> SegmentAsync(Image photo, bool confidence = false, CancellationToken cancellation = default) =>
        Task.Run(() => Segment(photo, confidence, cancellation), cancellation);

    /// <summary>Runs the network alone, without pre-processing or argmax: the door for parity work.</summary>
    /// <param name="input">Normalised picture(s), NHWC with the model's input channels.</param>
    /// <param name="cancellation">Looked at between two layers.</param>
    /// <exception cref="ModelException">The input has other channels, or is too small for this network.</exception>
    public NetworkResult Infer(Tensor input, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(input);
        ObjectDisposedException.ThrowIf(_disposed, this);
        Shape shape = input.Shape;
        if (shape.Channels != _description.Network.InputChannels)
        {
            throw new ModelException(
                $"The input has {shape.Channels} channels; this model takes {_description.Network.InputChannels}.");
        }
        return Guard(shape.Height, shape.Width, () =>
        {
            CompiledNetwork network = _networks.Get(NetworkKey.Tensors(shape));
            Tensor[] outputs = network.Run(input, cancellation);
            return new NetworkResult(outputs[0], outputs[^1]);
        });
    }

    /// <summary>Closes the file and frees all memory. Runs that are under way finish with an exception or a result, never a crash.</summary>
    public void Dispose()
    {
        if (_disposed)
            return;
        _disposed = true;
        _networks.Dispose();
        _preprocessor.Dispose();
        _crf?.Dispose();
        _backend.Dispose();
        _checkpoint.Dispose();
    }

    private Segmentation[] Run(Image[] photos, bool confidence, CancellationToken cancellation)
    {
        ObjectDisposedException.ThrowIf(_disposed, this);
        (int height, int width) = (photos[0].Height, photos[0].Width);
        return Guard<Segmentation[]>(height, width, () =>
        {
            long start = Stopwatch.GetTimestamp();
            CompiledNetwork network = _networks.Get(Key(photos.Length, height, width, confidence));
            long compiled = Stopwatch.GetTimestamp();
            using NetworkInput input = _preprocessor.Prepare(photos);
            TimeSpan preprocess = Stopwatch.GetElapsedTime(compiled);
            Tensor[] outputs = network.Run(input.Tensor, cancellation);
            try
            {
                (ushort[] Labels, float[] Confidence)[] masks =
                    [.. photos.Select((photo, i) => Mask(photo, outputs, i, confidence, cancellation))];
                var timings = new SegmentationTimings(
                    preprocess / photos.Length, (Stopwatch.GetElapsedTime(start) - preprocess) / photos.Length);
                return [.. masks.Select(mask => new Segmentation(
                    width, height, mask.Labels, mask.Confidence, Info.Classes, Info.ClassNames, timings))];
            }
            finally
            {
                foreach (Tensor output in outputs)
                    output.Dispose();
            }
        });
    }

    private NetworkKey Key(int batch, int height, int width, bool confidence)
    {
        PreprocessingPlan plan = PreprocessingPlan.For(_description.Preprocessing, height, width, _model.MinimumSide);
        var input = new Shape(batch, plan.Height, plan.Width, _description.Network.InputChannels);
        Wanted wanted = _crf is not null ? Wanted.Scores : confidence ? Wanted.LabelsAndConfidence : Wanted.Labels;
        return new NetworkKey(input, plan.Window, height, width, wanted);
    }

    private (ushort[] Labels, float[] Confidence) Mask(
        Image photo, Tensor[] outputs, int index, bool confidence, CancellationToken cancellation)
    {
        if (_crf is null)
            return (outputs[0].Image<ushort>(index).ToArray(), confidence ? outputs[1].Image<float>(index).ToArray() : []);
        CrfScores form = _description.Network.SoftmaxBeforeResize ? CrfScores.Probabilities : CrfScores.Logits;
        return _crf.Refine(photo, outputs[0], form, index, confidence, cancellation);
    }

    private static T Guard<T>(int height, int width, Func<T> run)
    {
        try
        {
            return run();
        }
        catch (OutOfMemoryException e)
        {
            throw new AtrousException(
                $"Memory ran out for a picture of {height}x{width}; use a smaller picture or batch, or free memory.", e);
        }
    }
}
