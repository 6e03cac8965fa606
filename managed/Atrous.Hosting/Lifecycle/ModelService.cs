using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Options;

namespace Atrous.Hosting.Lifecycle;

/// <summary>Loads the models when the host starts; lets them finish and frees them when it stops.</summary>
internal sealed class ModelService(ModelCatalog catalog, IOptions<AtrousOptions> options) : IHostedLifecycleService
{
    public Task StartAsync(CancellationToken cancellationToken)
    {
        if (options.Value.LoadInBackground)
            return Task.CompletedTask;
        catalog.LoadAll();
        return catalog.WhenLoadedAsync(cancellationToken);
    }

    public Task StartedAsync(CancellationToken cancellationToken)
    {
        // Only when everything else has started: a port that is taken is known before a large model is read.
        if (options.Value.LoadInBackground)
            catalog.LoadAll();
        return Task.CompletedTask;
    }

    public Task StopAsync(CancellationToken cancellationToken) => catalog.StopAsync(cancellationToken);

    public Task StartingAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StoppingAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StoppedAsync(CancellationToken cancellationToken) => Task.CompletedTask;
}
