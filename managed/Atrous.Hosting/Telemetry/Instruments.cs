using System.Diagnostics;
using System.Diagnostics.Metrics;
using Atrous.Hosting.Requests;

namespace Atrous.Hosting.Telemetry;

/// <summary>
/// The meter and the activity source, both named "Atrous". Durations are in seconds; every measurement has the tag
/// "model".
/// </summary>
/// <remarks>
/// <list type="table">
/// <item><term>atrous.requests</term><description>Calls by "outcome": ok, queue_full, timeout, cancelled, not_ready,
/// bad_input, failed.</description></item>
/// <item><term>atrous.request.duration</term><description>From call to end, by "outcome".</description></item>
/// <item><term>atrous.stage.duration</term><description>By "stage": queue, decode, preprocess, network, postprocess; of
/// pictures that were segmented.</description></item>
/// <item><term>atrous.refusals</term><description>Requests that the service did not serve, by "reason": queue_full,
/// timeout, not_ready.</description></item>
/// <item><term>atrous.batch.size</term><description>Pictures of one run.</description></item>
/// <item><term>atrous.batch.duration</term><description>The device's time of one run.</description></item>
/// <item><term>atrous.queue.length, atrous.queue.limit</term><description>Requests that wait, and may
/// wait.</description></item>
/// <item><term>atrous.model.ready</term><description>1 while the model serves.</description></item>
/// <item><term>atrous.model.devices, atrous.model.devices_lost</term><description>Devices that the model works on, and
/// those that were taken out because they stopped working.</description></item>
/// <item><term>atrous.model.loads</term><description>Loads by "outcome": ok, failed.</description></item>
/// <item><term>atrous.memory.resident, atrous.memory.managed</term><description>Bytes of the process, and of its
/// garbage-collected heap; no tag.</description></item>
/// <item><term>atrous.process.threads, atrous.process.handles</term><description>Of the process; no
/// tag.</description></item>
/// </list>
/// An activity "segment" ("infer", "probabilities") spans a request; children named for the stages lie in it. A
/// server's "encode" follows it.
/// </remarks>
internal sealed class Instruments : IDisposable
{
    public const string Name = "Atrous";

    public static readonly ActivitySource Activities = new(Name);

    private static readonly InstrumentAdvice<double> Seconds = new()
    {
        HistogramBucketBoundaries = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60],
    };

    private static readonly InstrumentAdvice<int> Sizes = new()
    {
        HistogramBucketBoundaries = [1, 2, 4, 8, 16, 32, 64, 128],
    };

    private readonly Meter _meter;
    private readonly bool _ownsMeter;
    private readonly Counter<long> _requests, _refusals, _loads;
    private readonly Histogram<double> _requestDuration, _stageDuration, _batchDuration;
    private readonly Histogram<int> _batchSize;

    /// <param name="factory">The host's, or null for a meter of one's own.</param>
    public Instruments(IMeterFactory? factory)
    {
        _ownsMeter = factory is null;
        _meter = factory?.Create(Name) ?? new Meter(Name);
        _requests = _meter.CreateCounter<long>("atrous.requests", "{request}", "Requests by outcome.");
        _refusals = _meter.CreateCounter<long>(
            "atrous.refusals", "{request}", "Requests that the service did not serve, by reason.");
        _loads = _meter.CreateCounter<long>(
            "atrous.model.loads", "{load}", "Loads of a model, reloads included, by outcome.");
        _requestDuration =
            _meter.CreateHistogram("atrous.request.duration", "s", "From call to end, by outcome.", null, Seconds);
        _stageDuration =
            _meter.CreateHistogram("atrous.stage.duration", "s",
            "Stages of a request: queue, decode, preprocess, network, postprocess.", null, Seconds);
        _batchDuration =
            _meter.CreateHistogram("atrous.batch.duration", "s", "The device's time of one run.", null, Seconds);
        _batchSize = _meter.CreateHistogram("atrous.batch.size", "{picture}", "Pictures of one run.", null, Sizes);
        _meter.CreateObservableGauge(
            "atrous.memory.resident", () => Environment.WorkingSet, "By", "Memory of the process.");
        _meter.CreateObservableGauge(
            "atrous.memory.managed", () => GC.GetTotalMemory(false), "By", "The garbage-collected heap.");
        _meter.CreateObservableGauge("atrous.process.threads", () => OfProcess(process => process.Threads.Count),
            "{thread}", "Threads of the process.");
        _meter.CreateObservableGauge("atrous.process.handles", () => OfProcess(process => process.HandleCount),
            "{handle}", "Open handles of the process: files, connections.");
    }

    /// <summary>The activity of making an answer, until it is disposed; null where nobody listens.</summary>
    public static Activity? Encoding(string model)
    {
        Activity? activity = Activities.StartActivity("encode");
        activity?.SetTag("atrous.model", model);
        return activity;
    }

    /// <summary>Watches what models are now.</summary>
    public void Observe(IReadOnlyCollection<ServedModel> models)
    {
        Gauge("atrous.queue.length", "{request}", "Requests that wait.", model => model.QueueLength);
        Gauge("atrous.queue.limit", "{request}", "Requests that may wait.", model => model.Batching.QueueLimit);
        Gauge("atrous.model.ready", "1", "1 while the model serves.", model =>
            model.Life.Status.State == ModelState.Ready ? 1 : 0);
        Gauge("atrous.model.devices", "{device}", "Devices that the model works on.", model =>
            model.Life.Devices.All - model.Life.Devices.Lost);
        Gauge("atrous.model.devices_lost", "{device}", "Devices of the model that stopped working.", model =>
            model.Life.Devices.Lost);

        void Gauge(string name, string unit, string description, Func<ServedModel, int> value) =>
            _meter.CreateObservableGauge(
            name, () => models.Select(model => new Measurement<int>(value(model), Tag("model", model.Name))), unit,
                description);
    }

    public void RequestEnded(string model, string outcome, TimeSpan duration)
    {
        var tags = new TagList { Tag("model", model), Tag("outcome", outcome) };
        _requests.Add(1, tags);
        _requestDuration.Record(duration.TotalSeconds, tags);
        if (Outcome.IsRefusal(outcome))
            _refusals.Add(1, Tag("model", model), Tag("reason", outcome));
    }

    public void Stages(string model, RequestTimings timings)
    {
        Record("queue", timings.Queue);
        Record("decode", timings.Decode);
        Record("preprocess", timings.Preprocess);
        Record("network", timings.Network);
        Record("postprocess", timings.Postprocess);

        void Record(string stage, TimeSpan time) =>
            _stageDuration.Record(time.TotalSeconds, Tag("model", model), Tag("stage", stage));
    }

    public void BatchEnded(string model, int size, TimeSpan elapsed)
    {
        _batchSize.Record(size, Tag("model", model));
        _batchDuration.Record(elapsed.TotalSeconds, Tag("model", model));
    }

    public void Loaded(string model, bool failed) =>
        _loads.Add(1, Tag("model", model), Tag("outcome", failed ? "failed" : Outcome.Ok));

    public void Dispose()
    {
        if (_ownsMeter)
            _meter.Dispose();
    }

    private static int OfProcess(Func<Process, int> count)
    {
        using var process = Process.GetCurrentProcess();
        return count(process);
    }

    private static KeyValuePair<string, object?> Tag(string name, string value) => new(name, value);
}
