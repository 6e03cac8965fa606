using System.Net;
using System.Net.Sockets;
using Atrous.Files;
using Atrous.Hosting;
using Atrous.Server.OpenInference;
using Atrous.Server.Rpc;
using Atrous.Server.Running;
using Atrous.Server.V1;
using Atrous.Server.Web;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Console;
using Microsoft.Extensions.Options;

namespace Atrous.Server;

/// <summary>
/// Atrous behind HTTP. It listens to no signals. Dispose it to stop it at once and to free its models.
/// </summary>
public sealed partial class AtrousServer : IAsyncDisposable
{
    private readonly WebApplication _application;
    private readonly ServerOptions _options;

    private AtrousServer(WebApplication application, ServerOptions options) =>
        (_application, _options) = (application, options);

    /// <summary>Where it listens, once it is started: "http://127.0.0.1:8080".</summary>
    public Uri Address => AddressOf(0);

    /// <summary>
    /// Where it listens for gRPC, once it is started; null where it does not (<see cref="ServerOptions.GrpcPort"/>).
    /// </summary>
    public Uri? GrpcAddress => _options.GrpcPort is not null ? AddressOf(1) : _options.HasGrpc ? Address : null;

    /// <summary>The models.</summary>
    public IModelCatalog Models => _application.Services.GetRequiredService<IModelCatalog>();

    /// <summary>What the server is made of.</summary>
    internal IServiceProvider Services => _application.Services;

    /// <summary>Puts the server together; it listens when it is started.</summary>
    /// <param name="options">Where the server listens, its models and its limits.</param>
    public static AtrousServer Create(ServerOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        // Empty: no configuration file of the current folder and no environment variable changes what the options say,
        // but for OpenTelemetry's own (OTEL_...).
        WebApplicationBuilder builder =
            WebApplication.CreateEmptyBuilder(new WebApplicationOptions { ApplicationName = "Atrous.Server" });
        builder.WebHost.UseKestrelCore().ConfigureKestrel(kestrel => Limit(kestrel, options));
        AddLogging(builder.Logging, options);
        AddServices(builder.Services, options);
        if (Collector.Configure(builder.Configuration, options))
            Collector.AddServices(builder.Services, builder.Configuration);

        WebApplication application = builder.Build();
        application.UseMiddleware<RequestLog>();
        application.UseMiddleware<Failures>();
        ResponseEncoding.Use(application);
        // Before the token, which browsers do not send along when they ask for leave.
        if (options.CorsOrigins.Count > 0)
            application.UseCors(
                cors => cors.WithOrigins([.. options.CorsOrigins]).AllowAnyHeader().WithMethods("GET", "POST"));
        if (options is { Token: not null, TokenForAdminAlone: false })
            application.UseMiddleware<TokenGuard>();
        if (options.HasGrpc)
            application.UseMiddleware<RpcCalls>();
        application.UseRouting();
        HealthEndpoints.Map(application);
        Metrics.Map(application);
        OpenInferenceEndpoints.Map(application);
        SegmentEndpoints.Map(application);
        if (options.HasGrpc)
            RpcEndpoints.Map(application);
        WebPage.Map(application);
        return new AtrousServer(application, options);
    }

    /// <summary>Begins to listen; the models load meanwhile (<see cref="IModelCatalog.WhenLoadedAsync"/>).</summary>
    /// <param name="cancellationToken">Ends the start; what has begun to listen is stopped.</param>
    /// <exception cref="ListenException">The address is not to be had.</exception>
    /// <exception cref="UnavailableException">The options contradict themselves.</exception>
    public async Task StartAsync(CancellationToken cancellationToken = default)
    {
        try
        {
            await _application.StartAsync(cancellationToken).ConfigureAwait(false);
        }
        catch (OptionsValidationException e)
        {
            throw new UnavailableException(string.Join(" ", e.Failures));
        }
        catch (IOException e) when (e.InnerException is AddressInUseException)
        {
            throw new ListenException(
                $"Port {PortOf(e)} of {_options.Host} is in use; choose another, or stop what listens there.", e)
            {
                Remedy = Remedy.ChangePort,
            };
        }
        catch (Exception e) when (e is SocketException or IOException { InnerException: SocketException })
        {
            string reason = (e as SocketException ?? (SocketException)e.InnerException!).SocketErrorCode switch
            {
                SocketError.AccessDenied => "this user may not; choose a port above 1023",
                SocketError.AddressNotAvailable => "this machine has no such address",
                var code => code.ToString(),
            };
            throw new ListenException($"{_options.Host}, port {PortOf(e)} cannot be listened on: {reason}.", e);
        }

        int PortOf(Exception e) =>
            _options.GrpcPort is { } grpc && e.Message.Contains($":{grpc}:", StringComparison.Ordinal)
                ? grpc
                : _options.Port;
    }

    /// <summary>
    /// Not ready any more, serves on for <see cref="ServerOptions.DrainDelay"/>, then stops accepting, finishes what is
    /// under way within <see cref="ServerOptions.DrainTimeout"/>, and frees the models.
    /// </summary>
    /// <param name="cancellationToken">Cuts the delay short; requests under way are finished all the same.</param>
    public async Task DrainAsync(CancellationToken cancellationToken = default)
    {
        Services.GetRequiredService<Draining>().Begin();
        await Task.Delay(_options.DrainDelay, cancellationToken)
            .ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        await _application.StopAsync(CancellationToken.None).ConfigureAwait(false);
    }

    /// <summary>
    /// Starts, serves until <paramref name="cancellationToken"/> is cancelled, drains: the process is the server's own.
    /// </summary>
    /// <param name="ready">Is called with the server's address once the models are warm; null for nobody.</param>
    /// <param name="cancellationToken">Begins the end: the server drains, and the task ends without an error.</param>
    /// <exception cref="ListenException">The address is not to be had.</exception>
    /// <exception cref="AtrousException">A model cannot be loaded; the type says why.</exception>
    public async Task RunAsync(Action<Uri>? ready = null, CancellationToken cancellationToken = default)
    {
        Allocator.KeepSmall();
        await StartAsync(CancellationToken.None).ConfigureAwait(false);
        try
        {
            await Models.WhenLoadedAsync(cancellationToken).ConfigureAwait(false);
            ready?.Invoke(Address);
            await Task.Delay(Timeout.InfiniteTimeSpan, cancellationToken).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            await DrainAsync(CancellationToken.None).ConfigureAwait(false);
        }
    }

    /// <summary>
    /// Loads all models anew. One that cannot be loaded goes on as it was; the log and its status say why.
    /// </summary>
    public async Task ReloadAsync()
    {
        try
        {
            await Models.ReloadAsync().ConfigureAwait(false);
        }
        catch (AtrousException e)
        {
            ReloadIncomplete(Services.GetRequiredService<ILogger<AtrousServer>>(), e.Message);
        }
    }

    public ValueTask DisposeAsync() => _application.DisposeAsync();

    private static void AddServices(IServiceCollection services, ServerOptions options)
    {
        if (options.Token is not null)
            OpenSsl.Require("A server with a token");
        if (options.TlsCertificate is not null)
            OpenSsl.Require("A server with TLS");
        services.AddSingleton(options);
        services.AddSingleton<IHostLifetime, NoLifetime>();
        services.Configure<HostOptions>(host => host.ShutdownTimeout = options.DrainTimeout);
        services.AddRouting();
        services.AddCors();
        services.AddSingleton<BodyBudget>();
        services.AddSingleton<AnswerRoom>();
        services.AddSingleton<Draining>();
        services.ConfigureHttpJsonOptions(json => json.SerializerOptions.MaxDepth = options.Limits.MaxJsonDepth);
        services.AddAtrous(atrous =>
        {
            options.Models(atrous);
            atrous.LoadInBackground = true;
        });
        services.AddHealthChecks().AddCheck<Draining>("draining", tags: ["ready"]);
        Metrics.AddServices(services);
        OpenInferenceEndpoints.AddServices(services);
        SegmentEndpoints.AddServices(services);
        if (options.HasGrpc)
            RpcEndpoints.AddServices(services);
        if (options.TlsCertificate is not null)
        {
            services.AddSingleton(provider => new TlsFiles(
                options, provider.GetRequiredService<ILogger<AtrousServer>>(), TimeProvider.System));
        }
        else if (options.TlsClientCa is not null)
        {
            throw new UnavailableException(
                "Clients show certificates by TLS alone, and the server has none; give its certificate and key too.");
        }
        else if (options.TlsKey is not null)
        {
            throw new UnavailableException(
                "The server has the key of its certificate, and no certificate; give both.");
        }
        // What is about something that is not there was meant otherwise.
        if (options is { TokenForAdminAlone: true, Token: null })
            throw new UnavailableException("The server has no token, which TokenForAdminAlone is about; give both.");
        if (options is { TlsClientForAdminAlone: true, TlsClientCa: null })
        {
            throw new UnavailableException(
                "The server asks clients for no certificates, which TlsClientForAdminAlone is about; give TlsClientCa "
                + "too.");
        }
    }

    private static void AddLogging(ILoggingBuilder logging, ServerOptions options)
    {
        logging.SetMinimumLevel(options.LogLevel);
        // RequestLog says it in one line.
        logging.AddFilter("Microsoft.AspNetCore", LogLevel.Warning);
        logging.AddFilter("Grpc", LogLevel.Warning);
        logging.AddFilter("Microsoft.Extensions.Diagnostics.HealthChecks", LogLevel.None);
        logging.AddFilter("Microsoft.Hosting.Lifetime", LogLevel.Warning);
        // Whoever starts the server gets the exception.
        logging.AddFilter("Microsoft.Extensions.Hosting.Internal.Host", LogLevel.None);
        logging.Configure(factory =>
            factory.ActivityTrackingOptions = ActivityTrackingOptions.TraceId | ActivityTrackingOptions.SpanId);
        // Standard output stays free, as for every command.
        logging.Services.Configure<ConsoleLoggerOptions>(
            console => console.LogToStandardErrorThreshold = LogLevel.Trace);
        if (options.JsonLogs)
        {
            logging.AddJsonConsole(console =>
            {
                console.IncludeScopes = true;
                console.UseUtcTimestamp = true;
                console.TimestampFormat = "yyyy-MM-ddTHH:mm:ss.fffZ";
            });
        }
        else
        {
            logging.AddSimpleConsole(console =>
            {
                console.SingleLine = true;
                console.TimestampFormat = "HH:mm:ss ";
            });
        }
    }

    private static void Limit(KestrelServerOptions kestrel, ServerOptions options)
    {
        ServerLimits limits = options.Limits;
        kestrel.AddServerHeader = false;
        kestrel.Limits.MaxRequestBodySize = limits.MaxBodyBytes;
        kestrel.Limits.MaxConcurrentConnections = limits.MaxConnections;
        kestrel.Limits.RequestHeadersTimeout = limits.HeaderTimeout;
        kestrel.Limits.KeepAliveTimeout = limits.KeepAliveTimeout;
        kestrel.ConfigureEndpointDefaults(new ConnectionGate(limits).Guard);
        var rate = new MinDataRate(limits.MinBytesPerSecond, TimeSpan.FromSeconds(5));
        (kestrel.Limits.MinRequestBodyDataRate, kestrel.Limits.MinResponseDataRate) = (rate, rate);
        TlsFiles? tls = options.TlsCertificate is null
            ? null
            : kestrel.ApplicationServices.GetRequiredService<TlsFiles>();
        // A call whose client has vanished without a word is found out by this.
        kestrel.Limits.Http2.KeepAlivePingDelay = limits.KeepAliveTimeout;
        Listen(kestrel, options.Host, options.Port, endpoint => tls?.Guard(endpoint));
        if (options.GrpcPort is not { } port)
            return;
        if (port == options.Port && port != 0)
            throw new UnavailableException(
                $"Port {port} cannot be for HTTP and for gRPC at a time; choose another for one of them.");
        Listen(kestrel, options.Host, port, endpoint =>
        {
            endpoint.Protocols = HttpProtocols.Http2;
            tls?.Guard(endpoint);
        });
    }

    private static void Listen(KestrelServerOptions kestrel, string host, int port, Action<ListenOptions> endpoint)
    {
        switch (host)
        {
            case "*":
                kestrel.ListenAnyIP(port, endpoint);
                break;
            case "localhost" when port != 0:
                kestrel.ListenLocalhost(port, endpoint);
                break;
            case "localhost":
                kestrel.Listen(IPAddress.Loopback, port, endpoint);
                break;
            default:
                if (!IPAddress.TryParse(host, out IPAddress? address))
                    throw new UnavailableException(
                        $"'{host}' is no address to listen on; give an IP address, localhost or *.");
                kestrel.Listen(address, port, endpoint);
                break;
        }
    }

    private Uri AddressOf(int endpoint)
    {
        ICollection<string> addresses = _application.Services.GetRequiredService<IServer>()
            .Features.GetRequiredFeature<IServerAddressesFeature>().Addresses;
        // "localhost" is two addresses of one port.
        int each = _options.GrpcPort is null ? addresses.Count : addresses.Count / 2;
        return new Uri(addresses.ElementAt(endpoint * each)
            .Replace("[::]", "127.0.0.1", StringComparison.Ordinal));
    }

    [LoggerMessage(1, LogLevel.Warning, "The reload is incomplete: {Reason}")]
    private static partial void ReloadIncomplete(ILogger logger, string reason);
}
