using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Options;

namespace Atrous.Hosting.Lifecycle;

/// <summary>Loads the models when the host starts; lets them finish and frees them when it stops.</summary>
internal sealed class ModelService(ModelCatalog catalog, IOptions<AtrousOptions> options) : IHostedService
{
    public Task StartAsync(CancellationToken cancellationToken)
    {
        catalog.LoadAll();
        return options.Value.LoadInBackground ? Task.CompletedTask : catalog.WhenLoadedAsync(cancellationToken);
    }

    public Task StopAsync(CancellationToken cancellationToken) => catalog.StopAsync(cancellationToken);
}
