using Microsoft.Extensions.Hosting;

namespace Atrous.Server.Running;

/// <summary>The host listens to no signals: who runs the server decides when it ends.</summary>
internal sealed class NoLifetime : IHostLifetime
{
    public Task WaitForStartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;
}
