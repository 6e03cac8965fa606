using Atrous.Hosting;
using Atrous.Server.Configuration;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Logging;

namespace Atrous.Server;

/// <summary>What a server serves, where, and within which limits.</summary>
public sealed record ServerOptions
{
    /// <summary>Names the models.</summary>
    public required Action<AtrousOptions> Models { get; init; }

    /// <summary>The address to listen on: an IP address, "localhost", or "*" for every one.</summary>
    public string Host { get; init; } = "127.0.0.1";

    /// <summary>0 takes a free one; <see cref="AtrousServer.Address"/> tells which.</summary>
    public int Port { get; init; } = 8080;

    /// <summary>
    /// A port for gRPC alone; 0 takes a free one, <see cref="AtrousServer.GrpcAddress"/> tells which. Null for none:
    /// then gRPC is served on <see cref="Port"/> where there is TLS, by which clients agree on HTTP/2, and not at all
    /// without.
    /// </summary>
    public int? GrpcPort { get; init; }

    /// <summary>
    /// The PEM file of the server's certificate, and behind it those that lead to a known one; null for no TLS. A file
    /// that changes is taken up by new connections.
    /// </summary>
    public string? TlsCertificate { get; init; }

    /// <summary>The PEM file of its key, without a password; null where the certificate's file has it too.</summary>
    public string? TlsKey { get; init; }

    /// <summary>
    /// The PEM file of the certificates that vouch for clients' (mutual TLS): who has none is not connected. A file
    /// that changes is taken up by new connections. Null where clients need no certificate.
    /// </summary>
    public string? TlsClientCa { get; init; }

    /// <summary>
    /// A client's certificate is needed where models are loaded and unloaded, and nowhere else. One that is shown must
    /// be sound in any case.
    /// </summary>
    public bool TlsClientForAdminAlone { get; init; }

    /// <summary>
    /// What clients send as "Authorization: Bearer", but for probes of health; null where whoever reaches the port may
    /// ask.
    /// </summary>
    public string? Token { get; init; }

    /// <summary>The token is asked for where models are loaded and unloaded, and nowhere else.</summary>
    public bool TokenForAdminAlone { get; init; }

    /// <summary>
    /// The origins whose web pages may read answers, such as "https://maps.example.org"; empty for none. Loading and
    /// unloading models is not theirs in any case.
    /// </summary>
    public IReadOnlyList<string> CorsOrigins { get; init; } = [];

    /// <summary>
    /// These options with what a section of a configuration says in their place: of them, and of their Limits. Names
    /// are those of the properties, in any case.
    /// </summary>
    /// <param name="section">The section, often "Atrous:Server".</param>
    /// <exception cref="UnavailableException">
    /// A setting is misspelt, or its value is not sound; nothing is passed by.
    /// </exception>
    public ServerOptions Configured(IConfiguration section)
    {
        ArgumentNullException.ThrowIfNull(section);
        return ServerSettings.Of(section).Over(this);
    }

    /// <summary>Whether there is an address for gRPC.</summary>
    internal bool HasGrpc => GrpcPort is not null || TlsCertificate is not null;

    /// <summary>Lets clients load and unload models.</summary>
    public bool Admin { get; init; }

    /// <summary>
    /// Names by which clients that load and unload models may address this server, beside IP addresses, "localhost"
    /// and this machine's name. A web page could otherwise have a browser ask by a name of its own.
    /// </summary>
    public IReadOnlyList<string> AdminHosts { get; init; } = [];

    /// <summary>How long requests are still taken after readiness has flipped, for balancers to notice.</summary>
    public TimeSpan DrainDelay { get; init; } = TimeSpan.FromSeconds(2);

    /// <summary>The longest time after that for requests under way; then they are cut off.</summary>
    public TimeSpan DrainTimeout { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>What requests and connections may cost.</summary>
    public ServerLimits Limits { get; init; } = new();

    /// <summary>
    /// A collector of OpenTelemetry that gets metrics, traces and logs, such as "http://localhost:4317"; null for that
    /// of the environment's OTEL_EXPORTER_OTLP_ENDPOINT, or for none where that is not set either.
    /// </summary>
    public string? OtlpEndpoint { get; init; }

    /// <summary>
    /// "grpc" or "http/protobuf"; null for that of the environment's OTEL_EXPORTER_OTLP_PROTOCOL, and where that is not
    /// set, for the one whose port the endpoint has: 4318 is HTTP's.
    /// </summary>
    public string? OtlpProtocol { get; init; }

    /// <summary>Logs as one JSON object a line instead of text.</summary>
    public bool JsonLogs { get; init; }

    /// <summary>What is logged at least.</summary>
    public LogLevel LogLevel { get; init; } = LogLevel.Information;
}

/// <summary>
/// What requests and connections may cost. Pixels are limited by <see cref="AtrousOptions.MaxPixels"/>.
/// </summary>
public sealed record ServerLimits
{
    /// <summary>Bytes of a body, as sent and again after decompression.</summary>
    public long MaxBodyBytes { get; init; } = 64 << 20;

    /// <summary>
    /// Bytes of all bodies that are held at one time; more are refused with 503. One client's have a quarter of it, and
    /// an eighth is kept for bodies up to 1 MiB.
    /// </summary>
    public long MaxBufferedBytes { get; init; } = 512 << 20;

    /// <summary>For a whole body, from its first byte to its last.</summary>
    public TimeSpan BodyTimeout { get; init; } = TimeSpan.FromMinutes(1);

    /// <summary>
    /// Bytes a second that a body must have, decompressed, in every ten seconds that it takes.
    /// </summary>
    public double MinBodyBytesPerSecond { get; init; } = 4096;

    /// <summary>
    /// Bytes a second that a client must read of an answer whose masks or outlines are in memory meanwhile, on the
    /// whole and after <see cref="BodyTimeout"/>.
    /// </summary>
    public double MinAnswerBytesPerSecond { get; init; } = 128 << 10;

    /// <summary>Nesting of JSON.</summary>
    public int MaxJsonDepth { get; init; } = 64;

    /// <summary>Connections at one time; more are closed. One client has half of them.</summary>
    public int MaxConnections { get; init; } = 1024;

    /// <summary>For a request's line and headers, and for the first byte of a new connection.</summary>
    public TimeSpan HeaderTimeout { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>For a connection between two requests.</summary>
    public TimeSpan KeepAliveTimeout { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>Bytes a second that a sender (and a reader) must reach, after five seconds of grace.</summary>
    public double MinBytesPerSecond { get; init; } = 240;
}
