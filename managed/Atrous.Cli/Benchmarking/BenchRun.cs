using System.Diagnostics;
using Atrous.Backends;
using Atrous.Cli.Options;
using Atrous.Files;
using Atrous.Imaging;
using Atrous.Verification;

namespace Atrous.Cli.Benchmarking;

/// <summary>What a measurement found.</summary>
internal sealed record BenchResult
{
    public required ModelInfo Model { get; init; }

    public required SegmenterOptions Options { get; init; }

    public required string Device { get; init; }

    /// <summary>Of the picture.</summary>
    public required (int Height, int Width) Size { get; init; }

    /// <summary>"made picture", or the file's name.</summary>
    public required string Picture { get; init; }

    public required int WarmUp { get; init; }

    /// <summary>
    /// A batch of pictures in, their labels out. The stages below are parts of it, but for decoding and encoding.
    /// </summary>
    public required Durations Latency { get; init; }

    /// <summary>
    /// In the order in which they happen, each for the whole batch; only those that the device tells.
    /// </summary>
    public required IReadOnlyList<(string Name, Durations Times)> Stages { get; init; }

    /// <summary>In the order in which they run; empty where they were not asked for.</summary>
    public required IReadOnlyList<BenchLayer> Layers { get; init; }

    /// <summary>
    /// From the start of the process to the command's first statement; then the model is loaded and the first mask
    /// made.
    /// </summary>
    public required (TimeSpan Process, TimeSpan Load, TimeSpan FirstMask) StartUp { get; init; }

    /// <summary>Managed memory that a run allocates, the masks that it returns included.</summary>
    public required long AllocatedBytes { get; init; }

    public required long PeakResidentBytes { get; init; }

    /// <summary>Null where the device has no memory of its own.</summary>
    public required long? PeakDeviceBytes { get; init; }

    public required bool IsInterrupted { get; init; }
}

/// <summary>One layer of the network in many runs.</summary>
/// <param name="Layer">The layer's name, operation, shape and work; its time is that of the last run.</param>
/// <param name="Times">How long the layer took in each run that counts.</param>
internal sealed record BenchLayer(LayerTime Layer, Durations Times);

/// <summary>Runs a model again and again and keeps the time.</summary>
internal sealed class BenchRun(CancellationToken cancellationToken)
{
    private const int UsualSide = 513, LeastRuns = 10, StageRuns = 20, LayerRuns = 10;
    private static readonly TimeSpan UsualTime = TimeSpan.FromSeconds(10);

    private readonly Durations _latency = new(), _decode = new(), _upload = new(), _preprocess = new(),
        _network = new(), _download = new(), _encode = new();
    private readonly List<BenchLayer> _layers = [];
    private long _allocated;
    private bool _tellsStages;

    public required string Model { get; init; }

    /// <summary>The batch is <see cref="SegmenterOptions.MaxBatch"/>.</summary>
    public required SegmenterOptions Options { get; init; }

    /// <summary>A file, or null for a made picture.</summary>
    public required string? Picture { get; init; }

    /// <summary>Of a made picture; null for the usual one.</summary>
    public required (int Height, int Width)? Size { get; init; }

    public required int WarmUp { get; init; }

    /// <summary>Null for as many as there are in the usual time.</summary>
    public required int? Runs { get; init; }

    /// <summary>Runs of their own tell how long each layer takes.</summary>
    public required bool TellsLayers { get; init; }

    public static TimeSpan SinceProcessStart()
    {
        using var self = Process.GetCurrentProcess();
        return DateTime.Now - self.StartTime;
    }

    /// <summary>An interruption ends it early; what was measured by then is returned.</summary>
    /// <param name="sinceProcessStart">How long the process had run when the command began.</param>
    public BenchResult Run(TimeSpan sinceProcessStart)
    {
        long start = Stopwatch.GetTimestamp();
        using Segmenter segmenter = Segmenter.Load(Model, Options);
        TimeSpan load = Stopwatch.GetElapsedTime(start);
        byte[] file = Bytes(segmenter.Info.InputChannels);
        (int Height, int Width) size;
        using (Image photo = Picture is null ? Image.Load(file) : Image.Load(Picture))
            size = (photo.Height, photo.Width);

        TimeSpan firstMask = Once(segmenter, file, counts: false);
        bool isInterrupted = !Measure(segmenter, file);
        using var self = Process.GetCurrentProcess();
        return new BenchResult
        {
            Model = segmenter.Info,
            Options = Options,
            Device = segmenter.Device,
            Size = size,
            Picture = Picture ?? "made picture",
            WarmUp = WarmUp,
            Latency = _latency,
            Stages =
            [
                .. new[]
                {
                    ("decode", _decode), ("upload", _upload), ("preprocess", _preprocess), ("network", _network),
                    ("download", _download), ("encode", _encode),
                }.Where(stage => stage.Item2.Count > 0),
            ],
            Layers = _layers,
            StartUp = (sinceProcessStart, load, firstMask),
            AllocatedBytes = _allocated / Math.Max(_latency.Count, 1),
            PeakResidentBytes = self.PeakWorkingSet64,
            PeakDeviceBytes = segmenter.PeakDeviceBytes,
            IsInterrupted = isInterrupted,
        };
    }

    /// <summary>False where it was interrupted.</summary>
    private bool Measure(Segmenter segmenter, byte[] file)
    {
        try
        {
            for (int i = 0; i < WarmUp; i++)
                Once(segmenter, file, counts: false);
            _tellsStages = TimeStages(segmenter, file, counts: false);
            for (int i = 0; _tellsStages && i < Math.Min(StageRuns, Runs ?? StageRuns); i++)
                TimeStages(segmenter, file, counts: true);
            for (int i = 0; TellsLayers && i < Math.Min(LayerRuns, Runs ?? LayerRuns); i++)
                TimeLayers(segmenter, file);
            for (long start = Stopwatch.GetTimestamp(); !IsEnough(Stopwatch.GetElapsedTime(start));)
                Once(segmenter, file, counts: true);
            return true;
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            return false;
        }
    }

    private bool IsEnough(TimeSpan spent) =>
        Runs is { } runs ? _latency.Count >= runs : _latency.Count >= LeastRuns && spent >= UsualTime;

    /// <summary>One batch, from files to files; how long the part from pixels to labels took.</summary>
    private TimeSpan Once(Segmenter segmenter, byte[] file, bool counts)
    {
        var photos = new List<Image>();
        try
        {
            cancellationToken.ThrowIfCancellationRequested();
            long start = Stopwatch.GetTimestamp();
            for (int i = 0; i < Options.MaxBatch; i++)
                photos.Add(Image.Load(file));
            TimeSpan decode = Stopwatch.GetElapsedTime(start);

            long allocated = GC.GetAllocatedBytesForCurrentThread();
            start = Stopwatch.GetTimestamp();
            IReadOnlyList<Segmentation> masks = segmenter.Segment(photos, cancellationToken: cancellationToken);
            TimeSpan latency = Stopwatch.GetElapsedTime(start);
            allocated = GC.GetAllocatedBytesForCurrentThread() - allocated;

            start = Stopwatch.GetTimestamp();
            foreach (Segmentation mask in masks)
                mask.SaveMask(Stream.Null);
            TimeSpan encode = Stopwatch.GetElapsedTime(start);
            if (counts)
            {
                _allocated += allocated;
                _latency.Add(latency);
                _decode.Add(decode);
                _encode.Add(encode);
                if (!_tellsStages)
                    AddStages(masks[0].Timings, masks.Count);
            }
            return latency;
        }
        finally
        {
            foreach (Image photo in photos)
                photo.Dispose();
        }
    }

    private void AddStages(SegmentationTimings each, int pictures)
    {
        _preprocess.Add(each.Preprocess * pictures);
        _network.Add(each.Network * pictures);
    }

    /// <summary>What a device with memory of its own tells of its stages, in a run for that alone.</summary>
    private bool TimeStages(Segmenter segmenter, byte[] file, bool counts)
    {
        if (WithPhotos(
            file, photos => new NetworkProfiler(segmenter).Stages(photos, cancellationToken)) is not { } stages)
            return false;
        if (counts)
        {
            _upload.Add(stages.Upload);
            _preprocess.Add(stages.Preprocess);
            _network.Add(stages.Network);
            _download.Add(stages.Download);
        }
        return true;
    }

    /// <summary>The same of the layers of a device that runs them one after the other.</summary>
    private void TimeLayers(Segmenter segmenter, byte[] file)
    {
        IReadOnlyList<LayerTime> layers = WithPhotos(
            file, photos => new NetworkProfiler(segmenter).Layers(photos, cancellationToken))
            ?? throw new CommandException(
            ExitCode.Usage,
                $"--layers: the device {segmenter.Device} does not tell how long a layer takes; use --device cpu.");
        for (int i = 0; i < layers.Count; i++)
        {
            if (i == _layers.Count)
                _layers.Add(new BenchLayer(layers[i], new Durations()));
            _layers[i].Times.Add(layers[i].Time);
        }
    }

    private T WithPhotos<T>(byte[] file, Func<IReadOnlyList<Image>, T> use)
    {
        var photos = new List<Image>();
        try
        {
            cancellationToken.ThrowIfCancellationRequested();
            for (int i = 0; i < Options.MaxBatch; i++)
                photos.Add(Image.Load(file));
            return use(photos);
        }
        finally
        {
            foreach (Image photo in photos)
                photo.Dispose();
        }
    }

    private byte[] Bytes(int channels)
    {
        if (Picture is not null)
        {
            try
            {
                RegularFile.Require(Picture);
                return File.ReadAllBytes(Picture);
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                throw new CommandException(
                    ExitCode.BadInput, $"{Picture}: the picture cannot be read ({e.Message.TrimEnd('.')}).", e);
            }
        }
        (int height, int width) = Size ?? (UsualSide, UsualSide);
        using Image picture = MadePicture.Of(height, width, channels);
        using var stream = new MemoryStream();
        // A JPEG has no fourth band.
        if (picture.Channels is 1 or 3)
            picture.SaveJpeg(stream);
        else
            picture.SavePng(stream);
        return stream.ToArray();
    }
}
