using System.Diagnostics;
using Atrous.Hosting.Requests;
using Atrous.Hosting.Scheduling;
using Atrous.Hosting.Telemetry;
using Microsoft.Extensions.Logging;

namespace Atrous.Hosting.Lifecycle;

/// <summary>
/// Loads, replaces and frees one model. Loads and unloads come one after the other; users never wait for them.
/// </summary>
internal sealed class ModelLife(
    string name, ModelOptions options, Devices devices, ISchedulingObserver observer, Instruments instruments,
    ILogger logger)
{
    private readonly SemaphoreSlim _turn = new(1, 1);
    private readonly TaskCompletionSource _firstLoad = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly Lock _lock = new();

    /// <summary>Cancelled when the service stops: a load that goes on then is of no use to anybody.</summary>
    private readonly CancellationTokenSource _ending = new();
    private LoadedModel? _loaded;
    private RequestQueue? _queue;
    private ModelStatus _status = new(name, ModelState.Loading, "it is waiting to be loaded", 0);
    private bool _wanted = true, _stopping;

    public ModelStatus Status
    {
        get
        {
            lock (_lock)
                return _status;
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

    /// <summary>How many devices it is on, and how many of them are lost; none while it is not loaded.</summary>
    public (int All, int Lost) Devices
    {
        get
        {
            lock (_lock)
                return _loaded?.Segmenter.Devices ?? (0, 0);
        }
    }

    /// <summary>Where its requests wait; null before the first load.</summary>
    public RequestQueue? Queue => Volatile.Read(ref _queue);

    /// <summary>Ends as the first load does.</summary>
    public Task FirstLoad => _firstLoad.Task;

    /// <summary>The loaded model, with its user counted.</summary>
    /// <exception cref="ModelNotReadyException">None is loaded, or the service is stopping.</exception>
    public LoadedModel Acquire()
    {
        lock (_lock)
        {
            LoadedModel model = Loaded();
            model.Acquire();
            return model;
        }
    }

    /// <summary>The loaded model, for a glance.</summary>
    /// <exception cref="ModelNotReadyException">None is loaded, or the service is stopping.</exception>
    public LoadedModel Current()
    {
        lock (_lock)
            return Loaded();
    }

    /// <summary>Loads it, or loads it anew: the old one serves until the new one is warm.</summary>
    /// <exception cref="AtrousException">It cannot be loaded; an old one goes on.</exception>
    public async Task LoadAsync(CancellationToken cancellationToken)
    {
        await _turn.WaitAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            int generation = Begin();
            long start = Stopwatch.GetTimestamp();
            LoadedModel fresh =
                await Task.Run(() => Load(generation, _ending.Token), CancellationToken.None).ConfigureAwait(false);
            Replace(fresh, new ModelStatus(name, ModelState.Ready, "", generation))?.Release();
            instruments.Loaded(name, failed: false);
            Log.Loaded(logger, name, generation, options.Path, fresh.Segmenter.Device,
                Stopwatch.GetElapsedTime(start).TotalSeconds);
            if (fresh.Segmenter.Info.Selection is { Length: > 0 } selection)
                Log.Selected(logger, name, selection);
            if (fresh.Segmenter.Info.Assumptions is { Count: > 0 } assumptions)
                Log.Assumed(logger, name, string.Join(", ", assumptions));
            _firstLoad.TrySetResult();
        }
        catch (Exception e)
        {
            instruments.Loaded(name, failed: true);
            Failed(e);
            _firstLoad.TrySetException(e);
            // Nobody need look: the status tells as well.
            _ = _firstLoad.Task.Exception;
            throw;
        }
        finally
        {
            _turn.Release();
        }
    }

    /// <summary>Takes no more requests, finishes those that there are, and frees the model.</summary>
    public async Task UnloadAsync(CancellationToken cancellationToken)
    {
        await _turn.WaitAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            lock (_lock)
                _wanted = false;
            await Empty("it is unloaded").ConfigureAwait(false);
            Log.Unloaded(logger, name);
        }
        finally
        {
            _turn.Release();
        }
    }

    /// <summary>
    /// As unloading, for good; requests that are not done when <paramref name="cancellationToken"/> comes are cut off.
    /// </summary>
    public async Task StopAsync(CancellationToken cancellationToken)
    {
        lock (_lock)
            _stopping = true;
        await _ending.CancelAsync().ConfigureAwait(false);
        using CancellationTokenRegistration late = cancellationToken.UnsafeRegister(
            static state => ((ModelLife)state!).CutOff(), this);
        await _turn.WaitAsync(CancellationToken.None).ConfigureAwait(false);
        try
        {
            await Empty("the service is stopping").ConfigureAwait(false);
        }
        finally
        {
            _turn.Release();
        }
    }

    private LoadedModel Loaded() => _loaded is not null && !_stopping
        ? _loaded
        : throw new ModelNotReadyException(
            $"The model '{name}' is not ready: {(_stopping ? "the service is stopping" : _status.Reason)}.",
            _status.State);

    private int Begin()
    {
        lock (_lock)
        {
            if (_stopping)
                throw new ModelNotReadyException(
                    $"The model '{name}' cannot be loaded: the service is stopping.", _status.State);
            _wanted = true;
            if (_loaded is null)
                _status = _status with { State = ModelState.Loading, Reason = "it is being loaded" };
            return _status.Generation + 1;
        }
    }

    private LoadedModel Load(int generation, CancellationToken cancellationToken)
    {
        SegmenterOptions segmenterOptions = options.Segmenter with
        {
            MaxBatch = options.Batching.MaxBatch,
            CachedShapes = Math.Max(options.Segmenter.CachedShapes, options.Batching.MaxBatch),
        };
        var segmenter = Segmenter.Load(options.Path, segmenterOptions, cancellationToken);
        try
        {
            DeviceScheduler device = devices.For(segmenter.Device, segmenter.RunsAtOnce);
            WarmUp(segmenter, device, cancellationToken);
            if (_queue?.Device != device)
                Volatile.Write(ref _queue, device.AddQueue(name, options.Batching, options.Weight, observer));
            return new LoadedModel(segmenter, _queue!, generation);
        }
        catch
        {
            segmenter.Dispose();
            throw;
        }
    }

    /// <summary>In turns with what the device serves meanwhile, and in no request's place.</summary>
    private void WarmUp(Segmenter segmenter, DeviceScheduler device, CancellationToken cancellationToken)
    {
        const int MostImageChannels = 4;
        if (segmenter.Info.InputChannels > MostImageChannels)
            return;
        RequestQueue queue = device.AddQueue(name, new BatchingOptions(), options.Weight);
        try
        {
            foreach ((int height, int width) in options.WarmUp)
            {
                // Where several devices run it, one run after the other comes to each of them.
                foreach (int pictures in new[] { segmenter.BatchOf(height, width), 1 }.Distinct()
                    .SelectMany(pictures => Enumerable.Repeat(pictures, segmenter.RunsToWarmUp)))
                {
                    var request = new QueuedRequest(
                        queue, new WarmUpWork(segmenter, height, width, pictures), queue.Options.DefaultPriority);
                    request.EndEarly(timeout: null, cancellationToken);
                    device.Submit([request]);
                    request.Completion.GetAwaiter().GetResult();
                }
            }
        }
        finally
        {
            device.RemoveQueue(queue);
        }
    }

    private LoadedModel? Replace(LoadedModel? model, ModelStatus status)
    {
        lock (_lock)
        {
            LoadedModel? old = _loaded;
            (_loaded, _status) = (model, status);
            return old;
        }
    }

    private void Failed(Exception failure)
    {
        string reason = failure is AtrousException ? failure.Message : $"{failure.GetType().Name}: {failure.Message}";
        bool keeps;
        lock (_lock)
        {
            keeps = _loaded is not null;
            _status = _status with
            {
                State = keeps ? ModelState.Ready : ModelState.Unavailable,
                Reason = keeps ? $"the last reload failed: {reason}" : reason,
            };
        }
        // The first load's failure is thrown where the host starts; it need not be told twice.
        if (keeps)
            Log.ReloadFailed(logger, name, reason);
        else if (_firstLoad.Task.IsCompleted)
            Log.LoadFailed(logger, name, reason);
    }

    private async Task Empty(string reason)
    {
        LoadedModel? old = Replace(null, Status with { State = ModelState.Unloading, Reason = reason });
        if (old is not null)
        {
            old.Release();
            await old.Freed.ConfigureAwait(false);
        }
        lock (_lock)
            _status = _status with { State = ModelState.Unavailable };
    }

    private void CutOff()
    {
        if (Queue is { } queue)
            queue.Device.AbandonAll(
                queue, new ModelNotReadyException(
                    $"The model '{name}' did not come to this request: the service is stopping.",
                    ModelState.Unloading));
    }
}
