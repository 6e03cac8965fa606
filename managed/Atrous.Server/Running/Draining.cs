using Microsoft.Extensions.Diagnostics.HealthChecks;

namespace Atrous.Server.Running;

/// <summary>Whether the server is on its way out: then it is not ready, and still serves.</summary>
internal sealed class Draining : IHealthCheck
{
    private volatile bool _begun;

    public void Begin() => _begun = true;

    public Task<HealthCheckResult> CheckHealthAsync(
        HealthCheckContext context, CancellationToken cancellationToken = default) =>
        Task.FromResult(_begun
            ? new HealthCheckResult(context.Registration.FailureStatus, "the server is shutting down")
            : HealthCheckResult.Healthy());
}
