using Atrous.Imaging;
using Atrous.Tensors;

namespace Atrous.Hosting.Lifecycle;

/// <summary>A configured model: its life, and the door to its queue.</summary>
internal sealed class ServedModel(string name, ModelOptions options, long maxPixels) : ISegmenter
{
    private readonly SemaphoreSlim _life = new(1, 1);
    private readonly TaskCompletionSource _firstLoad = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly Lock _lock = new();
    private LoadedModel? _loaded;
    private ModelState _state = ModelState.Loading;
    private string _reason = "it is not loaded yet";
    private int _generation;
    private bool _wanted = true, _stopped;

    public string Name => name;

    public BatchingOptions Batching => options.Batching;

    public ModelInfo Info => Current().Segmenter.Info;

    public string Device => Current().Segmenter.Device;

    public ModelStatistics Statistics => new();

    public ModelStatus Status
    {
        get
        {
            lock (_lock)
                return new ModelStatus(name, _state, _reason, _generation);
        }
    }

    /// <summary>Nobody unloaded it.</summary>
    public bool IsWanted
    {
        get
        {
            lock (_lock)
                return _wanted;
        }
    }

    public bool IsReady
    {
        get
        {
            lock (_lock)
                return _state == ModelState.Ready || !_wanted;
        }
    }

    /// <summary>Ends as the first load does.</summary>
    public Task FirstLoad => _firstLoad.Task;

    public void EnsureAccepting() => Current();

    public async Task<Segmentation> SegmentAsync(Image photo, RequestOptions? options = null, CancellationToken cancellation = default) =>
        (await SegmentAsync([photo], options, cancellation).ConfigureAwait(false))[0];

    public Task<IReadOnlyList<Segmentation>> SegmentAsync(
        IReadOnlyList<Image> photos, RequestOptions? options = null, CancellationToken cancellation = default) =>
        Leased(segmenter => segmenter.Segment(photos, options?.Confidence ?? false, cancellation));

    public Task<SegmentedPhoto> SegmentAsync(
        ReadOnlyMemory<byte> file, RequestOptions? options = null, CancellationToken cancellation = default) => Leased(segmenter =>
        {
            Image photo = Image.Load(file.Span, maxPixels);
            try
            {
                return new SegmentedPhoto(photo, segmenter.Segment(photo, options?.Confidence ?? false, cancellation), default);
            }
            catch
            {
                photo.Dispose();
                throw;
            }
        });

    public Task<NetworkResult> InferAsync(Tensor input, RequestOptions? options = null, CancellationToken cancellation = default) =>
        Leased(segmenter => segmenter.Infer(input, cancellation));

    public async Task LoadAsync(CancellationToken cancellation)
    {
        await _life.WaitAsync(cancellation).ConfigureAwait(false);
        try
        {
            lock (_lock)
            {
                if (_stopped)
                    throw new ModelNotReadyException($"The model '{name}' cannot be loaded; the service is stopping.", _state);
                _wanted = true;
                if (_loaded is null)
                    (_state, _reason) = (ModelState.Loading, "it is being loaded");
            }
            LoadedModel fresh = await Task.Run(Load, CancellationToken.None).ConfigureAwait(false);
            LoadedModel? old;
            lock (_lock)
                (old, _loaded, _state, _reason, _generation) = (_loaded, fresh, ModelState.Ready, "", fresh.Generation);
            old?.Retire();
            _firstLoad.TrySetResult();
        }
        catch (Exception e)
        {
            lock (_lock)
            {
                _reason = e is AtrousException ? e.Message : $"{e.GetType().Name}: {e.Message}";
                if (_loaded is null)
                    _state = ModelState.Unavailable;
            }
            _firstLoad.TrySetException(e);
            throw;
        }
        finally
        {
            _life.Release();
        }
    }

    public async Task UnloadAsync(CancellationToken cancellation)
    {
        await _life.WaitAsync(cancellation).ConfigureAwait(false);
        try
        {
            LoadedModel? old;
            lock (_lock)
            {
                (old, _loaded, _wanted) = (_loaded, null, false);
                _state = old is null ? ModelState.Unavailable : ModelState.Unloading;
                _reason = "it is unloaded";
            }
            old?.Retire();
            if (old is not null)
                await old.Freed.ConfigureAwait(false);
            lock (_lock)
                _state = ModelState.Unavailable;
        }
        finally
        {
            _life.Release();
        }
    }

    public Task StopAsync(CancellationToken cancellation)
    {
        lock (_lock)
            _stopped = true;
        return UnloadAsync(CancellationToken.None);
    }

    private LoadedModel Load()
    {
        var segmenter = Segmenter.Load(options.Path, options.Segmenter);
        return new LoadedModel(segmenter, _generation + 1);
    }

    private LoadedModel Current()
    {
        lock (_lock)
            return _loaded ?? throw new ModelNotReadyException($"The model '{name}' is not ready: {_reason}.", _state);
    }

    private async Task<T> Leased<T>(Func<Segmenter, T> run)
    {
        LoadedModel model;
        lock (_lock)
        {
            model = Current();
            model.Acquire();
        }
        try
        {
            return await Task.Run(() => run(model.Segmenter)).ConfigureAwait(false);
        }
        finally
        {
            model.Release();
        }
    }
}
