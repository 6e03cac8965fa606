using Atrous.Backends;
using Atrous.Catalog;
using Atrous.Checkpoints;
using Atrous.Graph;
using Atrous.Imaging;
using Atrous.Models;
using Atrous.Native;
using Atrous.Preprocessing;
using Atrous.Scoring;
using Atrous.Specs;
using Atrous.Tensors;
using PixelLabels = (Atrous.Postprocessing.LabelArray Labels, float[] Confidence, ulong[] Members);

namespace Atrous;

/// <summary>
/// Turns pictures into masks with the checkpoint that a framework wrote: the front door, and the only type that knows
/// every stage. Safe to use from many threads. It owns the open file, the packed weights and the thread pool until it
/// is disposed.
/// </summary>
public sealed partial class Segmenter : ISegmenter, IDisposable
{
    private readonly Checkpoint _checkpoint;
    private readonly ModelDescription _description;
    private readonly Model _model;
    private readonly IBackend _backend;
    private readonly bool _ownsBackend;
    private readonly EngineHandle _engine;
    private readonly bool _ownsEngine;
    private readonly Preprocessor _preprocessor;
    private readonly Preprocessor _unsized;
    private readonly NetworkCache _networks;
    private readonly MaskMaker _masks;
    private readonly SegmenterOptions _options;
    private readonly UseCount _uses;

    private Segmenter(Checkpoint checkpoint, SegmenterOptions options)
    {
        (_options, (_checkpoint, _description)) = (options, ModelInfo.Describe(checkpoint, options));
        PreprocessingSpec whole = _description.Preprocessing;
        int multiple = _description.Network.Backbone.SizeMultiple;
        PreprocessingSpec unsized = whole with
        {
            Resize = new ResizePolicy.None(),
            SizeMultiple = multiple > 1 ? multiple : null,
        };
        if (options.Window is not null)
            _description = _description with { Preprocessing = unsized };
        var scoring = new ScoringRequest
        {
            Window = options.Window,
            Augmentation = options.Augmentation,
            Crf = options.Crf,
        };
        Check(scoring);
        _model = new Model(_description, _checkpoint);
        Info = ModelInfo.Of(_checkpoint, _description);
        _ownsBackend = options.Backend is null;
        string? passedOver = null;
        Precision = options.PrecisionFor(_description.Quantization is not null);
        _backend = options.Backend ?? BackendRegistry.Open(
            options.Device, new(Precision, options.Threads, ModelCache.FolderBeside("engines")),
            out passedOver);
        DeviceNote = passedOver;
        var log = new SegmenterLog(options.Logger);
        if (_backend is ISeveralDevices several)
            several.Lost = log.Lost;
        try
        {
            EngineHandle? engine = (_backend as IProcessorThreads)?.Engine;
            (_engine, _ownsEngine) = (engine ?? new EngineHandle(options.Threads), engine is null);
            _preprocessor = new Preprocessor(whole, _engine, _model.MinimumSide);
            _unsized = new Preprocessor(unsized, _engine, _model.MinimumSide);
            _networks = new NetworkCache(_model, _backend, options.CachedShapes, log);
            _masks = MakerOf(scoring);
            // Every weight is read and packed now, so that a bad file is refused here and the first picture is not
            // slow.
            _networks.Prepare();
            _uses = new UseCount(Free);
            log.Loaded(Info, _backend.Name, passedOver);
        }
        catch
        {
            FreeThreads();
            if (_ownsBackend)
                _backend.Dispose();
            throw;
        }
    }

    /// <summary>What the model is.</summary>
    public ModelInfo Info { get; }

    /// <summary>The device in use: "cpu", "reference", "cuda:0", or what a backend of your own calls itself.</summary>
    public string Device => _backend.Name;

    /// <summary>The number format in force; of a backend of your own, what it was asked for.</summary>
    public Precision Precision { get; }

    /// <summary>
    /// The most bytes that this model has held on a device with memory of its own; null where the device has none.
    /// </summary>
    public long? PeakDeviceBytes => (_backend as IDeviceMemory)?.PeakDeviceBytes;

    /// <summary>Why "auto" did not take the GPU that this machine has; null where it has none, or took it.</summary>
    public string? DeviceNote { get; }

    /// <summary>The mask of a picture, at the picture's own height and width.</summary>
    /// <param name="photo">A picture of any size, which is not changed.</param>
    /// <param name="confidence">Whether to compute also the softmax probability of every pixel's class.</param>
    /// <param name="cancellationToken">Is looked at between two layers.</param>
    /// <exception cref="ImageException">The picture has not the channels that the model takes.</exception>
    /// <exception cref="MemoryException">Memory ran out.</exception>
    /// <exception cref="OperationCanceledException">Cancelled.</exception>
    public Segmentation Segment(Image photo, bool confidence = false, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(photo);
        return Run(_masks, [photo], confidence, cancellationToken)[0];
    }

    /// <summary>
    /// The masks of some pictures, in their order. Pictures of one size run together, <see cref="BatchOf"/> at a time.
    /// </summary>
    /// <param name="photos">Pictures of any sizes, which are not changed.</param>
    /// <param name="confidence">Whether to compute also the softmax probability of every pixel's class.</param>
    /// <param name="cancellationToken">Is looked at between two layers.</param>
    /// <inheritdoc cref="Segment(Image, bool, CancellationToken)" path="/exception"/>
    public IReadOnlyList<Segmentation> Segment(
        IReadOnlyList<Image> photos, bool confidence = false, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(photos);
        var results = new Segmentation[photos.Count];
        foreach (var group in Enumerable.Range(0, photos.Count)
            .GroupBy(i => (photos[i].Height, photos[i].Width, photos[i].Format, photos[i].Bands))
                .SelectMany(group => group.Chunk(BatchOf(group.Key.Height, group.Key.Width))))
        {
            Segmentation[] masks = Run(
                _masks, [.. group.Select(i => photos[i])], confidence, cancellationToken);
            for (int i = 0; i < group.Length; i++)
                results[group[i]] = masks[i];
        }
        return results;
    }

    /// <summary>
    /// Pictures of a size that run together: <see cref="SegmenterOptions.MaxBatch"/>, or fewer where the device gains
    /// nothing by more. A processor's cores are busy with one large picture.
    /// </summary>
    /// <param name="height">The number of rows of the pictures.</param>
    /// <param name="width">The number of columns of the pictures.</param>
    /// <exception cref="ImageException">
    /// The network's input would have more pixels than any picture may have.
    /// </exception>
    public int BatchOf(int height, int width)
    {
        // A picture in windows is its own batch.
        if (_masks.Sliding is not null)
            return 1;
        PreprocessingPlan plan = _preprocessor.PlanOf(height, width);
        return Math.Min(_options.MaxBatch, _backend.WorthwhileBatch(plan.Height, plan.Width));
    }

    /// <summary>
    /// As <see cref="Segment(Image, bool, CancellationToken)"/>, on the thread pool. Keep the picture until the task
    /// ends. There is no queue, so the request's priority means nothing here.
    /// </summary>
    /// <inheritdoc/>
    public Task<Segmentation> SegmentAsync(
        Image photo, SegmentRequest? request = null, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(photo);
        request ??= SegmentRequest.Default;
        return request.Timeout is { } timeout
            ? Within(timeout, token => Segment(photo, request, token), cancellationToken)
            : Task.Run(() => Segment(photo, request, cancellationToken), cancellationToken);
    }

    /// <summary>
    /// The probability of every class for every pixel, at the picture's own height and width: what masks are made of,
    /// before the CRF where <see cref="SegmenterOptions.Crf"/> is set.
    /// </summary>
    /// <param name="photo">The picture, which is not changed.</param>
    /// <param name="cancellationToken">Is looked at between two layers.</param>
    /// <returns>
    /// A float32 tensor [1, height, width, classes] whose classes sum to 1 in each pixel; 4 bytes x classes a pixel.
    /// Where a pixel can be of several classes (<see cref="ModelInfo.IsMultiLabel"/>), each has a probability of its
    /// own and there is none of the background. The caller disposes it.
    /// </returns>
    /// <exception cref="UnavailableException">
    /// The model slides a window (<see cref="SegmenterOptions.Window"/>), which never holds the scores of a whole
    /// picture.
    /// </exception>
    /// <inheritdoc cref="Segment(Image, bool, CancellationToken)" path="/exception"/>
    public Tensor Probabilities(Image photo, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(photo);
        if (_masks.Sliding is not null)
        {
            throw new UnavailableException(
                "A sliding window never holds the scores of the whole picture; load the model without a window for " +
                "probabilities.");
        }
        return Guard(
            photo.Height, photo.Width,
            () => _masks.Scorer.Probabilities([photo], new RunContext(null, cancellationToken)));
    }

    /// <summary>Runs the network alone, without pre-processing or argmax: the door for parity work.</summary>
    /// <param name="input">One normalised picture or several, NHWC with the model's input channels.</param>
    /// <param name="cancellationToken">Is looked at between two layers.</param>
    /// <exception cref="ModelException">The input has other channels, or is too small for this network.</exception>
    public NetworkResult Infer(Tensor input, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(input);
        Shape shape = input.Shape;
        if (shape.Channels != _description.Network.InputChannels)
        {
            throw new ModelException(
                $"The input has {shape.Channels} channels; this model takes {_description.Network.InputChannels}.");
        }
        return Guard(shape.Height, shape.Width, () =>
        {
            CompiledNetwork network = _networks.Get(NetworkKey.Tensors(shape));
            Tensor[] outputs = network.Run(input, null, null, cancellationToken);
            return new NetworkResult(outputs[0], outputs[^1]);
        });
    }

    /// <summary>
    /// Closes the file and frees all memory, as soon as the runs that are under way have ended. Whoever comes later
    /// gets an ObjectDisposedException.
    /// </summary>
    public void Dispose() => _uses.End();

    private void Free()
    {
        _networks.Dispose();
        FreeThreads();
        if (_ownsBackend)
            _backend.Dispose();
        _checkpoint.Dispose();
    }

    private void FreeThreads()
    {
        _preprocessor?.Dispose();
        _unsized?.Dispose();
        if (_ownsEngine)
            _engine?.Dispose();
    }

    /// <summary>How many runs at a time keep the device busy; more wait for each other.</summary>
    internal int RunsAtOnce => (_backend as IParallelRuns)?.RunsAtOnce ?? 1;

    /// <summary>How many runs, one after the other, leave nothing for the first requests to wait for.</summary>
    internal int RunsToWarmUp => (_backend as IParallelRuns)?.RunsToWarmUp ?? 1;

    /// <summary>How many devices run the model, and how many of them are lost.</summary>
    internal (int All, int Lost) Devices =>
        _backend is ISeveralDevices several ? (several.Count, several.LostCount) : (1, 0);

    /// <summary>Builds the network; for verification.</summary>
    internal Model Model => _model;

    /// <summary>Where the network runs; for verification.</summary>
    internal IBackend Backend => _backend;

    /// <summary>A picture as the network gets it; for verification. The caller disposes it.</summary>
    internal NetworkInput Prepare(Image photo) => _masks.Preprocessor.Prepare(photo);

    /// <summary>
    /// Every class's score for every pixel of the picture; for verification. The caller disposes the tensor.
    /// </summary>
    internal Tensor Scores(Image photo, CancellationToken cancellationToken) => Guard(
        photo.Height, photo.Width, () => _masks.Scorer.Scores([photo], new RunContext(null, cancellationToken)));

    /// <summary>The device makes the network's input by itself; for the profiler.</summary>
    internal bool TakesPictures => _networks.TakesPictures;

    /// <summary>
    /// Runs the network on pictures of one size and is told its times; for the profiler. Null where a mask is made of
    /// more than one run of the network.
    /// </summary>
    internal RunTimes? Time(IReadOnlyList<Image> photos, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(photos);
        if (!_masks.AreOfOneRun)
            return null;
        return Guard(photos[0].Height, photos[0].Width, () =>
        {
            var times = new RunTimes();
            Tensor[] outputs = _masks.Scorer.Run([.. photos], Wanted.Labels, new RunContext(times, cancellationToken));
            foreach (Tensor output in outputs)
                output.Dispose();
            return times;
        });
    }

    private Segmentation[] Run(MaskMaker masks, Image[] photos, bool confidence, CancellationToken cancellationToken)
    {
        (int height, int width) = (photos[0].Height, photos[0].Width);
        return Guard<Segmentation[]>(height, width, () =>
        {
            var run = new RunContext(null, cancellationToken);
            PixelLabels[] labels = masks.Labels(photos, confidence, run);
            SegmentationTimings timings = run.TimingsOf(photos.Length);
            return [.. labels.Select((mask, i) => Made(height, width, mask, timings, run.Notes.GetValueOrDefault(i)))];
        });
    }

    private Segmentation Made(
        int height, int width, PixelLabels mask, SegmentationTimings timings, string? note) => new(
            height, width, mask.Labels, mask.Confidence, Info.Classes, Info.ClassNames, timings, Info.Palette,
            mask.Members)
        {
            Note = note,
        };

    private static async Task<T> Within<T>(
        TimeSpan timeout, Func<CancellationToken, T> run, CancellationToken cancellationToken)
    {
        using var clock = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        clock.CancelAfter(timeout);
        try
        {
            return await Task.Run(() => run(clock.Token), clock.Token).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            throw new RequestTimeoutException($"The picture had no mask within {timeout.TotalMilliseconds:0} ms.");
        }
    }

    private T Guard<T>(int height, int width, Func<T> run)
    {
        _uses.Begin(this);
        try
        {
            return run();
        }
        catch (OutOfMemoryException e)
        {
            throw new MemoryException(
                $"Memory ran out for a picture of {height}x{width}; use a smaller picture or batch, or free memory.",
                e);
        }
        catch (ScoreException) when (Precision == Precision.Fp16)
        {
            throw ScoreException.OfHalfPrecision();
        }
        finally
        {
            _uses.Finish();
        }
    }
}
