using Atrous.Hosting;
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

    /// <summary>Lets clients load and unload models.</summary>
    public bool Admin { get; init; }

    /// <summary>How long requests are still taken after readiness has flipped, for balancers to notice.</summary>
    public TimeSpan DrainDelay { get; init; } = TimeSpan.FromSeconds(2);

    /// <summary>The longest time after that for requests under way; then they are cut off.</summary>
    public TimeSpan DrainTimeout { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>What requests and connections may cost.</summary>
    public ServerLimits Limits { get; init; } = new();

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

    /// <summary>Bytes of all bodies that are held at one time; more are refused with 503.</summary>
    public long MaxBufferedBytes { get; init; } = 512 << 20;

    /// <summary>Nesting of JSON.</summary>
    public int MaxJsonDepth { get; init; } = 64;

    /// <summary>Connections at one time; more are closed.</summary>
    public int MaxConnections { get; init; } = 1024;

    /// <summary>For a request's line and headers.</summary>
    public TimeSpan HeaderTimeout { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>Bytes a second that a sender (and a reader) must reach, after five seconds of grace.</summary>
    public double MinBytesPerSecond { get; init; } = 240;
}
