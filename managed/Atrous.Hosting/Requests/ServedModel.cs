using System.Diagnostics;
using Atrous.Hosting.Lifecycle;
using Atrous.Hosting.Scheduling;
using Atrous.Hosting.Telemetry;
using Atrous.Imaging;
using Atrous.Imaging.Formats;
using Atrous.Tensors;
using Microsoft.Extensions.Logging;

namespace Atrous.Hosting.Requests;

/// <summary>A configured model as its users see it: calls become requests in its queue, and are measured.</summary>
internal sealed class ServedModel : IServedModel, ISchedulingObserver
{
    private readonly long _maxPixels, _maxNetworkPixels;
    private readonly PictureBudget _pictures;
    /// <summary>Who waited for memory less long has all of the time for the rest.</summary>
    private static readonly TimeSpan Noticed = TimeSpan.FromMilliseconds(100);

    private readonly TimeProvider _time;
    private readonly Instruments _instruments;
    private readonly ModelCounters _counters;

    public ServedModel(string name, ModelOptions options, AtrousOptions limits, PictureBudget pictures, Devices devices,
        Instruments instruments, ILogger logger, TimeProvider time)
    {
        _pictures = pictures;
        (_maxPixels, _maxNetworkPixels) = (limits.MaxPixels, limits.MaxNetworkPixels);
        (Name, Batching, _instruments, _time) = (name, options.Batching, instruments, time);
        _counters = new ModelCounters(time);
        Life = new ModelLife(name, options, devices, this, instruments, logger);
    }

    public string Name { get; }

    public BatchingOptions Batching { get; }

    /// <summary>Loading and unloading.</summary>
    public ModelLife Life { get; }

    public ModelInfo Info => Life.Current().Segmenter.Info;

    public string Device => Life.Current().Segmenter.Device;

    public Precision Precision => Life.Current().Segmenter.Precision;

    public int QueueLength => Life.Queue?.Length ?? 0;

    public ModelStatistics Statistics => _counters.Snapshot(QueueLength);

    public void EnsureAccepting()
    {
        try
        {
            RequestQueue queue = Life.Current().Queue;
            if (queue.Length >= queue.Options.QueueLimit)
                throw queue.Full();
        }
        catch (AtrousException e)
        {
            Ended(_time.GetTimestamp(), e);
            throw;
        }
    }

    public Task<Segmentation> SegmentAsync(
        Image photo, SegmentRequest? request = null, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(photo);
        return Call(
            "segment", request, (model, wanted) => [WorkOf(model, photo, wanted)],
            requests => ((PictureWork)requests[0].Work).Mask, cancellationToken);
    }

    public Task<IReadOnlyList<Segmentation>> SegmentAsync(
        IReadOnlyList<Image> photos, SegmentRequest? request = null, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(photos);
        foreach (Image photo in photos)
            ArgumentNullException.ThrowIfNull(photo, nameof(photos));
        if (photos.Count == 0)
            return Task.FromResult<IReadOnlyList<Segmentation>>([]);
        return Call<IReadOnlyList<Segmentation>>(
            "segment", request,
            (model, wanted) => [.. photos.Select(photo => WorkOf(model, photo, wanted))],
            requests => [.. requests.Select(each => ((PictureWork)each.Work).Mask)], cancellationToken);
    }

    public async Task<SegmentedPhoto> SegmentAsync(
        ReadOnlyMemory<byte> file, SegmentRequest? request = null, CancellationToken cancellationToken = default)
    {
        (PictureLease? lease, request) = await RoomFor(file, request, cancellationToken).ConfigureAwait(false);
        try
        {
            return await Call(
                "segment", request,
                (model, wanted) =>
                {
                    ImageInfo header = HeaderOf(file.Span);
                    Check(model, wanted, header.Height, header.Width);
                    return [new PictureWork(model, file, header, wanted)];
                },
                requests =>
                {
                    var work = (PictureWork)requests[0].Work;
                    return new SegmentedPhoto(work.Photo, work.Mask, TimingsOf(requests[0]))
                    {
                        Lease = lease,
                        Tags = work.Tags,
                        Place = work.Place,
                    };
                },
                cancellationToken).ConfigureAwait(false);
        }
        catch
        {
            lease?.Dispose();
            throw;
        }
    }

    public Task<Tensor> ProbabilitiesAsync(
        Image photo, SegmentRequest? request = null, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(photo);
        return Call(
            "probabilities", request,
            (model, wanted) =>
            {
                Check(model, wanted, photo.Height, photo.Width);
                CheckProbabilities(model, wanted);
                return [new ProbabilityWork(model, photo, wanted)];
            },
            requests => ((ProbabilityWork)requests[0].Work).Result!, cancellationToken);
    }

    public Task<NetworkResult> InferAsync(
        Tensor input, SegmentRequest? request = null, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(input);
        return Call(
            "infer", request, (model, _) => [new TensorWork(model, input)],
            requests => ((TensorWork)requests[0].Work).Result!, cancellationToken);
    }

    public void Ran(IReadOnlyList<QueuedRequest> requests, TimeSpan elapsed)
    {
        StageTimes stages = requests[0].Work.Stages;
        TimeSpan decoded = requests.Aggregate(TimeSpan.Zero, (sum, request) => sum + request.Preparation);
        _instruments.BatchEnded(Name, requests.Count, elapsed);
        _counters.Executed(requests.Count, decoded + stages.Preprocess, stages.Network, stages.Postprocess);
    }

    /// <summary>
    /// Memory for a file's picture, and the request with the time that is left when there is room. Nothing for what is
    /// refused anyway: the call itself says why.
    /// </summary>
    private async Task<(PictureLease? Lease, SegmentRequest? Request)> RoomFor(
        ReadOnlyMemory<byte> file, SegmentRequest? request, CancellationToken cancellationToken)
    {
        long start = _time.GetTimestamp();
        TimeSpan? limit;
        long bytes, scores;
        try
        {
            limit = TimeoutOf(request?.Timeout);
            ImageInfo header = HeaderOf(file.Span);
            // The picture, its mask, the confidence, and an overlay of it.
            long each = 2 * header.Channels * PictureDecoder.MostBytesPerChannel(file.Span) + sizeof(ushort)
                + (request?.Confidence == true ? sizeof(float) : 0) + (request?.AnswerBytesPerPixel ?? 0);
            scores = ScoringBytes(request, header.Height, header.Width);
            bytes = (long)header.Width * header.Height * each + scores;
        }
        catch (AtrousException)
        {
            return (null, request);
        }
        try
        {
            // A picture has its turn alone where it is too large; what a request makes of it has none.
            if (request?.Scoring is not null && scores > _pictures.Most)
            {
                throw new PictureTooLargeException(
                    $"The scores of this request would take {scores >> 20} MiB of memory, and all "
                    + $"pictures have {_pictures.Most >> 20} MiB; send a smaller picture, or ask for tiles or fewer "
                    + "scales.");
            }
            if (_pictures.Waiting >= Batching.QueueLimit)
                throw Life.Current().Queue.Full();
            PictureLease lease =
                await _pictures.TakeAsync(bytes, limit, _time, cancellationToken).ConfigureAwait(false);
            TimeSpan waited = _time.GetElapsedTime(start);
            bool hurries = limit is not null && waited >= Noticed;
            return (lease, hurries
                ? (request ?? SegmentRequest.Default) with { Timeout = Left(limit!.Value - waited) }
                : request);
        }
        catch (Exception e)
        {
            Ended(start, e);
            throw;
        }
    }

    /// <summary>
    /// What the scores of a picture take on their way to its mask, as the request or else the model has them; nothing
    /// where the network itself gives the mask.
    /// </summary>
    /// <exception cref="RequestException">The model cannot be used so, or it would cost too much.</exception>
    internal long ScoringBytes(SegmentRequest? request, int height, int width) => With(model =>
    {
        if (request is not null)
            Check(model, request, height, width);
        return model.Segmenter.ScoringBytes(height, width, request?.Scoring);
    });

    /// <summary>Refuses a request for probabilities that there are none of, before anything is made for it.</summary>
    /// <exception cref="RequestException">A window slides over the picture.</exception>
    internal void CheckProbabilities(SegmentRequest request) => With(model =>
    {
        CheckProbabilities(model, request);
        return true;
    });

    /// <summary>Uses the model that is loaded now, which is not taken away meanwhile.</summary>
    internal T With<T>(Func<LoadedModel, T> use)
    {
        LoadedModel model = Life.Acquire();
        try
        {
            return use(model);
        }
        finally
        {
            model.Release();
        }
    }

    private static void CheckProbabilities(LoadedModel model, SegmentRequest request)
    {
        if (!model.Segmenter.HasProbabilities(request.Scoring))
            throw new RequestException(
                "A window that slides never holds the probabilities of a whole picture; ask for other results, or for "
                + "these without a window.");
    }

    private PictureWork WorkOf(LoadedModel model, Image photo, SegmentRequest request)
    {
        Check(model, request, photo.Height, photo.Width);
        return new PictureWork(model, photo, request);
    }

    private void Check(LoadedModel model, SegmentRequest request, int height, int width)
    {
        if (request.Scoring is { } scoring)
            ScoringLimits.Check(model.Segmenter, scoring, height, width, _maxNetworkPixels);
    }

    private static TimeSpan Left(TimeSpan time) =>
        time > TimeSpan.Zero ? time : TimeSpan.FromTicks(1);

    private async Task<T> Call<T>(
        string activityName, SegmentRequest? request, Func<LoadedModel, SegmentRequest, IReadOnlyList<Work>> workOf,
        Func<IReadOnlyList<QueuedRequest>, T> resultOf, CancellationToken cancellationToken)
    {
        long start = _time.GetTimestamp();
        DateTimeOffset startTime = _time.GetUtcNow();
        using Activity? activity = Instruments.Activities.StartActivity(activityName);
        activity?.SetTag("atrous.model", Name);
        try
        {
            cancellationToken.ThrowIfCancellationRequested();
            IReadOnlyList<QueuedRequest> requests =
                Submit(request ?? SegmentRequest.Default, workOf, cancellationToken);
            await AllOf(requests).ConfigureAwait(false);
            T result = resultOf(requests);
            RequestTimings[] timings = [.. requests.Select(TimingsOf)];
            foreach (RequestTimings each in timings)
            {
                _instruments.Stages(Name, each);
                StageActivities.Add(activity, startTime, each);
            }
            Ended(start, null, timings);
            return result;
        }
        catch (Exception e)
        {
            activity?.SetStatus(ActivityStatusCode.Error, e.Message);
            Ended(start, e);
            throw;
        }
    }

    private List<QueuedRequest> Submit(
        SegmentRequest wanted, Func<LoadedModel, SegmentRequest, IReadOnlyList<Work>> workOf,
        CancellationToken cancellationToken)
    {
        LoadedModel model = Life.Acquire();
        var requests = new List<QueuedRequest>();
        try
        {
            RequestQueue queue = model.Queue;
            int priority = queue.PriorityOf(wanted.Priority);
            TimeSpan? timeout = TimeoutOf(wanted.Timeout);
            foreach (Work work in workOf(model, wanted))
            {
                model.Acquire();
                requests.Add(new QueuedRequest(queue, work, priority));
            }
            if (requests.Count > Batching.QueueLimit)
            {
                throw new RequestException(
                    $"{requests.Count} pictures came at once and the queue of '{Name}' has {Batching.QueueLimit} " +
                    $"places; send fewer at a time.");
            }
            foreach (QueuedRequest request in requests)
                request.EndEarly(timeout, cancellationToken);
            queue.Device.Submit(requests);
            return requests;
        }
        catch (Exception e)
        {
            foreach (QueuedRequest request in requests)
            {
                request.Work.Release(delivered: false);
                request.Complete(e);
            }
            throw;
        }
        finally
        {
            model.Release();
        }
    }

    /// <summary>Waits for all; the first failure takes the others out of the queue.</summary>
    private static async Task AllOf(IReadOnlyList<QueuedRequest> requests)
    {
        if (requests.Count == 1)
        {
            await requests[0].Completion.ConfigureAwait(false);
            return;
        }
        Exception? first = null;
        await foreach (
            Task ended in Task.WhenEach(requests.Select(request => request.Completion)).ConfigureAwait(false))
        {
            if (first is not null || ended.IsCompletedSuccessfully)
                continue;
            first = ended.Exception?.InnerException ?? new TaskCanceledException(ended);
            foreach (QueuedRequest request in requests)
                request.Queue.Device.Abandon(request, first);
        }
        await Task.WhenAll(requests.Select(request => request.Completion)).ConfigureAwait(false);
    }

    private TimeSpan? TimeoutOf(TimeSpan? wanted)
    {
        if (wanted is not { } asked)
            return Batching.Timeout;
        if (asked <= TimeSpan.Zero)
            throw new RequestException(
                $"A timeout of {asked.TotalSeconds:0.###} s allows no result; give a positive one, or none.");
        return Batching.Timeout is { } limit && limit < asked ? limit : asked;
    }

    private ImageInfo HeaderOf(ReadOnlySpan<byte> file)
    {
        ImageInfo header = Image.Probe(file);
        return (long)header.Width * header.Height <= _maxPixels ? header : throw new PictureTooLargeException(
            $"The picture has {header.Width} x {header.Height} pixels; at most {_maxPixels} are taken. Scale it down.");
    }

    private RequestTimings TimingsOf(QueuedRequest request)
    {
        StageTimes stages = request.Work.Stages;
        TimeSpan waited = _time.GetElapsedTime(request.Enqueued, request.RunStarted) - request.Preparation;
        return new RequestTimings(
            waited, request.Preparation, stages.Preprocess, stages.Network, stages.Postprocess, stages.BatchSize);
    }

    private void Ended(long start, Exception? failure, IReadOnlyList<RequestTimings>? timings = null)
    {
        TimeSpan duration = _time.GetElapsedTime(start);
        _instruments.RequestEnded(Name, Outcome.Of(failure), duration);
        if (timings is not null)
            _counters.Succeeded(duration, timings);
        else
            _counters.Failed(duration);
    }
}
