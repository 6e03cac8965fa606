using Microsoft.Extensions.Diagnostics.HealthChecks;

namespace Atrous.Hosting.Health;

/// <summary>Every configured model is loaded and warm; says which one is not, and why.</summary>
internal sealed class ReadyCheck(IModelCatalog catalog) : IHealthCheck
{
    public Task<HealthCheckResult> CheckHealthAsync(
        HealthCheckContext context, CancellationToken cancellationToken = default)
    {
        if (catalog.IsReady)
            return Task.FromResult(HealthCheckResult.Healthy());
        IEnumerable<string> waiting = catalog.Models.Where(model => model.State != ModelState.Ready)
            .Select(model =>
            {
                string reason = model.Reason.Length > 0 ? $" ({model.Reason})" : "";
                return $"{model.Name} is {model.State.ToString().ToLowerInvariant()}{reason}";
            });
        string description = string.Join("; ", waiting);
        return Task.FromResult(new HealthCheckResult(
            context.Registration.FailureStatus, description.Length > 0 ? description : "the service is stopping"));
    }
}
