using Microsoft.Extensions.Options;

namespace Atrous.Hosting.Lifecycle;

/// <summary>The configured models.</summary>
internal sealed class ModelCatalog : IModelCatalog, IAsyncDisposable
{
    private readonly OrderedDictionary<string, ServedModel> _models = new(StringComparer.Ordinal);
    private readonly string? _default;
    private volatile bool _stopping;

    public ModelCatalog(IOptions<AtrousOptions> options)
    {
        AtrousOptions value = options.Value;
        _default = value.DefaultModel ?? value.Models.Keys.FirstOrDefault();
        foreach ((string name, ModelOptions model) in value.Models)
            _models.Add(name, new ServedModel(name, model, value.MaxPixels));
    }

    public ISegmenter Default => Get(null);

    public IReadOnlyList<ModelStatus> Models => [.. _models.Values.Select(model => model.Status)];

    public bool IsReady => !_stopping && _models.Values.All(model => model.IsReady);

    public ISegmenter Get(string? name) => Find(name);

    public ModelStatus StatusOf(string name) => Find(name).Status;

    public Task LoadAsync(string name, CancellationToken cancellation = default) => Find(name).LoadAsync(cancellation);

    public Task UnloadAsync(string name, CancellationToken cancellation = default) => Find(name).UnloadAsync(cancellation);

    public async Task ReloadAsync(CancellationToken cancellation = default)
    {
        // One after the other: two large models are never in memory twice at the same time.
        AtrousException? first = null;
        foreach (ServedModel model in _models.Values.Where(model => model.IsWanted))
        {
            try
            {
                await model.LoadAsync(cancellation).ConfigureAwait(false);
            }
            catch (AtrousException e)
            {
                first ??= e;
            }
        }
        if (first is not null)
            throw first;
    }

    public async Task WhenLoadedAsync(CancellationToken cancellation = default)
    {
        Task[] loads = [.. _models.Values.Select(model => model.FirstLoad)];
        await Task.WhenAll(loads).WaitAsync(cancellation).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        cancellation.ThrowIfCancellationRequested();
        foreach (Task load in loads)
            await load.ConfigureAwait(false);
    }

    /// <summary>Starts loading every model, one after the other.</summary>
    public void LoadAll() => _ = Task.Run(async () =>
    {
        foreach (ServedModel model in _models.Values)
            await model.LoadAsync(CancellationToken.None).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
    });

    /// <summary>Refuses new requests, waits for those that there are (until cancelled), and frees the models.</summary>
    public async Task StopAsync(CancellationToken cancellation)
    {
        _stopping = true;
        await Task.WhenAll(_models.Values.Select(model => model.StopAsync(cancellation))).ConfigureAwait(false);
    }

    public async ValueTask DisposeAsync() => await StopAsync(new CancellationToken(canceled: true)).ConfigureAwait(false);

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
