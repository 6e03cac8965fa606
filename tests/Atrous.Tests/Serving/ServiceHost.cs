using System.Diagnostics.Metrics;
using Atrous.Hosting;
using Atrous.Hosting.Lifecycle;
using Atrous.Hosting.Requests;
using Atrous.Hosting.Scheduling;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Atrous.Tests.Serving;

/// <summary>A host with models, as a service of one's own has it.</summary>
internal sealed class ServiceHost : IAsyncDisposable
{
    private readonly IHost _host;

    private ServiceHost(IHost host) => _host = host;

    public IServiceProvider Services => _host.Services;

    public IModelCatalog Catalog => Services.GetRequiredService<IModelCatalog>();

    public IServedModel Segmenter => Services.GetRequiredService<IServedModel>();

    public static async Task<ServiceHost> Start(Action<AtrousOptions> configure)
    {
        HostApplicationBuilder builder = Host.CreateEmptyApplicationBuilder(new HostApplicationBuilderSettings());
        builder.Services.AddAtrous(configure);
        IHost host = builder.Build();
        try
        {
            await host.StartAsync();
        }
        catch
        {
            await ((IAsyncDisposable)host).DisposeAsync();
            throw;
        }
        return new ServiceHost(host);
    }

    /// <summary>What the metrics say of a model's devices: how many it works on, and how many are lost.</summary>
    public (int Working, int Lost) Devices(string model)
    {
        var values = new Dictionary<string, int>();
        using var meters = new MeterListener
        {
            InstrumentPublished = (instrument, listener) =>
            {
                // The meters of other tests' hosts are in this process too.
                if (instrument.Meter.Scope == Services.GetRequiredService<IMeterFactory>())
                    listener.EnableMeasurementEvents(instrument);
            },
        };
        meters.SetMeasurementEventCallback<int>((instrument, value, tags, _) =>
        {
            if (tags.Contains(new("model", model)))
                values[instrument.Name] = value;
        });
        meters.Start();
        meters.RecordObservableInstruments();
        return (values["atrous.model.devices"], values["atrous.model.devices_lost"]);
    }

    /// <summary>Keeps the device of a model busy until the work is opened.</summary>
    public Task<GatedWork> Occupy(string? name = null) => GatedWork.Occupy(Catalog, name);

    public Task Stop(CancellationToken cancellationToken = default) => _host.StopAsync(cancellationToken);

    public async ValueTask DisposeAsync()
    {
        await _host.StopAsync();
        await ((IAsyncDisposable)_host).DisposeAsync();
    }
}
