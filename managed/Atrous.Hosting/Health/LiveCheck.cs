using Microsoft.Extensions.Diagnostics.HealthChecks;

namespace Atrous.Hosting.Health;

/// <summary>The process answers.</summary>
internal sealed class LiveCheck : IHealthCheck
{
    public Task<HealthCheckResult> CheckHealthAsync(
        HealthCheckContext context, CancellationToken cancellationToken = default) =>
        Task.FromResult(HealthCheckResult.Healthy());
}
