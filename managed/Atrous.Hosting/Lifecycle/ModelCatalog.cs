using System.Diagnostics.Metrics;
using Atrous.Hosting.Requests;
using Atrous.Hosting.Scheduling;
using Atrous.Hosting.Telemetry;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace Atrous.Hosting.Lifecycle;

/// <summary>The configured models, their devices and their measurements.</summary>
internal sealed class ModelCatalog : IModelCatalog, IAsyncDisposable
{
    private readonly OrderedDictionary<string, ServedModel> _models = new(StringComparer.Ordinal);
    private readonly string? _default;
    private readonly Devices _devices;
    private readonly Instruments _instruments;
    private volatile bool _stopping;

    public ModelCatalog(
        IOptions<AtrousOptions> options, PictureBudget pictures, ILoggerFactory loggers, TimeProvider time,
        IMeterFactory? meters = null)
    {
        AtrousOptions value = options.Value;
        _default = value.DefaultModel ?? value.Models.Keys.FirstOrDefault();
        _devices = new Devices(time);
        _instruments = new Instruments(meters);
        ILogger logger = loggers.CreateLogger("Atrous.Hosting");
        foreach ((string name, ModelOptions model) in value.Models)
        {
            _models.Add(
                name,
                new ServedModel(name, model, value, pictures, _devices, _instruments, logger, time));
        }
        _instruments.Observe(_models.Values);
    }

    public IServedModel Default => Find(null);

    public IReadOnlyList<ModelStatus> Models => [.. _models.Values.Select(model => model.Life.Status)];

    public bool IsReady
    {
        get
        {
            if (_stopping)
                return false;
            // A model that somebody unloaded keeps nothing from being ready; where all are, nothing is.
            ServedModel[] wanted = [.. _models.Values.Where(model => model.Life.IsWanted)];
            return wanted.Length > 0
                && Array.TrueForAll(wanted, model => model.Life.Status.State == ModelState.Ready);
        }
    }

    public IServedModel Get(string? name) => Find(name);

    public ModelStatus StatusOf(string name) => Find(name).Life.Status;

    public Task LoadAsync(string name, CancellationToken cancellationToken = default) =>
        Find(name).Life.LoadAsync(cancellationToken);

    public Task UnloadAsync(string name, CancellationToken cancellationToken = default) =>
        Find(name).Life.UnloadAsync(cancellationToken);

    public async Task ReloadAsync(CancellationToken cancellationToken = default)
    {
        // One after the other: not more than one model is in memory twice.
        Exception? first = null;
        foreach (ServedModel model in _models.Values.Where(model => model.Life.IsWanted))
        {
            try
            {
                await model.Life.LoadAsync(cancellationToken).ConfigureAwait(false);
            }
            catch (AtrousException e)
            {
                first ??= e;
            }
        }
        if (first is not null)
            throw first;
    }

    public async Task WhenLoadedAsync(CancellationToken cancellationToken = default)
    {
        foreach (ServedModel model in _models.Values)
            await model.Life.FirstLoad.WaitAsync(cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Starts loading every model, one after the other.</summary>
    public void LoadAll() => _ = Task.Run(async () =>
    {
        foreach (ServedModel model in _models.Values)
            await model.Life.LoadAsync(CancellationToken.None).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
    });

    /// <summary>
    /// Refuses new requests, finishes those that there are (cuts them off when cancelled), and frees the models.
    /// </summary>
    public async Task StopAsync(CancellationToken cancellationToken)
    {
        _stopping = true;
        await Task.WhenAll(_models.Values.Select(model => model.Life.StopAsync(cancellationToken)))
            .ConfigureAwait(false);
    }

    public async ValueTask DisposeAsync()
    {
        await StopAsync(new CancellationToken(canceled: true)).ConfigureAwait(false);
        _devices.Dispose();
        _instruments.Dispose();
    }

    private ServedModel Find(string? name)
    {
        if ((name ?? _default) is { } wanted && _models.TryGetValue(wanted, out ServedModel? model))
            return model;
        throw new UnknownModelException(name is null
            ? "There is no model; configure one."
            : $"There is no model '{Printable(name)}'; there are {string.Join(", ", _models.Keys)}.");
    }

    private static string Printable(string name) =>
        new([.. name.Take(128).Select(c => char.IsControl(c) || char.IsSurrogate(c) ? '?' : c)]);
}
