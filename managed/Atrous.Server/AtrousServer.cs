using Atrous.Hosting;
using Atrous.Server.OpenInference;
using Atrous.Server.V1;
using Atrous.Server.Web;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;

namespace Atrous.Server;

/// <summary>Atrous behind HTTP. Dispose it to stop it at once and to free its models.</summary>
public sealed class AtrousServer : IAsyncDisposable
{
    private readonly WebApplication _application;

    private AtrousServer(WebApplication application) => _application = application;

    /// <summary>Where it listens, once it is started: "http://127.0.0.1:8080".</summary>
    public Uri Address => new(_application.Services.GetRequiredService<IServer>()
        .Features.GetRequiredFeature<IServerAddressesFeature>().Addresses.First().Replace("[::]", "127.0.0.1", StringComparison.Ordinal));

    /// <summary>The models.</summary>
    public IModelCatalog Models => _application.Services.GetRequiredService<IModelCatalog>();

    /// <summary>Puts the server together; it listens when it is started.</summary>
    public static AtrousServer Create(ServerOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        WebApplicationBuilder builder = WebApplication.CreateSlimBuilder();
        builder.WebHost.ConfigureKestrel(kestrel => kestrel.Limits.MaxRequestBodySize = options.Limits.MaxBodyBytes);
        builder.WebHost.UseUrls($"http://{options.Host}:{options.Port}");
        IServiceCollection services = builder.Services;
        services.AddSingleton(options);
        services.AddAtrous(atrous =>
        {
            options.Models(atrous);
            atrous.LoadInBackground = true;
        });
        OpenInferenceEndpoints.AddServices(services);
        SegmentEndpoints.AddServices(services);

        WebApplication application = builder.Build();
        application.UseMiddleware<Failures>();
        OpenInferenceEndpoints.Map(application);
        SegmentEndpoints.Map(application);
        WebPage.Map(application);
        return new AtrousServer(application);
    }

    /// <summary>Begins to listen; the models load meanwhile (<see cref="IModelCatalog.WhenLoadedAsync"/>).</summary>
    public Task StartAsync(CancellationToken cancellation = default) => _application.StartAsync(cancellation);

    /// <summary>Stops accepting, finishes what is under way, and frees the models.</summary>
    public Task StopAsync(CancellationToken cancellation = default) => _application.StopAsync(cancellation);

    public ValueTask DisposeAsync() => _application.DisposeAsync();
}
