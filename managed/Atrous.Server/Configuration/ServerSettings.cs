using System.Globalization;
using Atrous.Hosting.Configuration;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Logging;

namespace Atrous.Server.Configuration;

/// <summary>
/// <see cref="ServerOptions"/> as configurations have them: files, the environment. Null is what they do not say.
/// </summary>
internal sealed class ServerSettings
{
    public string? Host { get; set; }

    public int? Port { get; set; }

    public int? GrpcPort { get; set; }

    public string? TlsCertificate { get; set; }

    public string? TlsKey { get; set; }

    public string? TlsClientCa { get; set; }

    public bool? TlsClientForAdminAlone { get; set; }

    public string? Token { get; set; }

    public bool? TokenForAdminAlone { get; set; }

    public string[]? CorsOrigins { get; set; }

    public bool? Admin { get; set; }

    public string[]? AdminHosts { get; set; }

    public TimeSpan? DrainDelay { get; set; }

    public TimeSpan? DrainTimeout { get; set; }

    public LimitSettings? Limits { get; set; }

    public string? OtlpEndpoint { get; set; }

    public string? OtlpProtocol { get; set; }

    public bool? JsonLogs { get; set; }

    public LogLevel? LogLevel { get; set; }

    /// <summary>Reads a section, of which nothing is passed by.</summary>
    /// <exception cref="UnavailableException">A setting is none, or has no sound value.</exception>
    public static ServerSettings Of(IConfiguration section)
    {
        KnownSettings.Check<ServerSettings>(section);
        KnownSettings.Check<LimitSettings>(section.GetSection(nameof(Limits)));
        var settings = new ServerSettings();
        KnownSettings.Bind(() => section.Bind(settings));
        return settings;
    }

    /// <summary>A server's options with these in their place.</summary>
    /// <exception cref="UnavailableException">A value is out of its bounds.</exception>
    public ServerOptions Over(ServerOptions options) => options with
    {
        Host = NotEmpty(Host, nameof(Host)) ?? options.Host,
        Port = PortOf(Port, nameof(Port)) ?? options.Port,
        GrpcPort = PortOf(GrpcPort, nameof(GrpcPort)) ?? options.GrpcPort,
        TlsCertificate = NotEmpty(TlsCertificate, nameof(TlsCertificate)) ?? options.TlsCertificate,
        TlsKey = NotEmpty(TlsKey, nameof(TlsKey)) ?? options.TlsKey,
        TlsClientCa = NotEmpty(TlsClientCa, nameof(TlsClientCa)) ?? options.TlsClientCa,
        TlsClientForAdminAlone = TlsClientForAdminAlone ?? options.TlsClientForAdminAlone,
        Token = Token is null ? options.Token : SoundToken(Token),
        TokenForAdminAlone = TokenForAdminAlone ?? options.TokenForAdminAlone,
        CorsOrigins = CorsOrigins is null ? options.CorsOrigins : [.. CorsOrigins.Select(SoundOrigin)],
        Admin = Admin ?? options.Admin,
        AdminHosts = AdminHosts ?? options.AdminHosts,
        DrainDelay = Within(DrainDelay, TimeSpan.Zero, nameof(DrainDelay)) ?? options.DrainDelay,
        DrainTimeout = Within(DrainTimeout, TimeSpan.FromSeconds(1), nameof(DrainTimeout)) ?? options.DrainTimeout,
        Limits = Limits?.Over(options.Limits) ?? options.Limits,
        OtlpEndpoint = NotEmpty(OtlpEndpoint, nameof(OtlpEndpoint)) ?? options.OtlpEndpoint,
        OtlpProtocol = NotEmpty(OtlpProtocol, nameof(OtlpProtocol)) ?? options.OtlpProtocol,
        JsonLogs = JsonLogs ?? options.JsonLogs,
        LogLevel = LogLevel ?? options.LogLevel,
    };

    /// <summary>
    /// A variable of the environment that another one fills is often empty, and never meant so: no client would be
    /// asked for a certificate, where the name of the file alone is missing.
    /// </summary>
    private static string? NotEmpty(string? text, string name) => string.IsNullOrWhiteSpace(text) && text is not null
        ? throw new UnavailableException(
            $"The setting {name} is empty; give it a value, or leave it out, its variable of the environment too.")
        : text;

    private static int? PortOf(int? port, string name) => port is null or (>= 0 and <= 65535)
        ? port
        : throw new UnavailableException($"The setting {name} is {port}; it is a whole number from 0 to 65535.");

    private static TimeSpan? Within(TimeSpan? time, TimeSpan least, string name) =>
        time is null || (time >= least && time <= TimeSpan.FromHours(1))
            ? time
            : throw new UnavailableException($"The setting {name} is {time}; it is from {least} to 01:00:00.");

    private static string SoundToken(string token) =>
        token.Length >= SoundAccess.LeastToken && SoundAccess.IsOneWord(token)
            ? token
            : throw new UnavailableException(
                $"The setting Token is a token of at least {SoundAccess.LeastToken} characters without spaces.");

    private static string SoundOrigin(string given) => SoundAccess.IsOrigin(given)
        ? given
        : throw new UnavailableException(
            $"The setting CorsOrigins has '{given}'; an origin is a scheme and a host, such as "
            + "https://maps.example.org.");
}

/// <summary><see cref="ServerLimits"/> as configurations have them.</summary>
internal sealed class LimitSettings
{
    public long? MaxBodyBytes { get; set; }

    public long? MaxBufferedBytes { get; set; }

    public TimeSpan? BodyTimeout { get; set; }

    public double? MinBodyBytesPerSecond { get; set; }

    public double? MinAnswerBytesPerSecond { get; set; }

    public int? MaxJsonDepth { get; set; }

    public int? MaxConnections { get; set; }

    public TimeSpan? HeaderTimeout { get; set; }

    public TimeSpan? KeepAliveTimeout { get; set; }

    public double? MinBytesPerSecond { get; set; }

    /// <summary>A server's limits with these in their place.</summary>
    /// <exception cref="UnavailableException">A value is not above zero, or too large.</exception>
    public ServerLimits Over(ServerLimits limits) => limits with
    {
        // One body is one block of memory.
        MaxBodyBytes = Above(MaxBodyBytes, nameof(MaxBodyBytes), 1 << 30) ?? limits.MaxBodyBytes,
        MaxBufferedBytes = Above(MaxBufferedBytes, nameof(MaxBufferedBytes)) ?? limits.MaxBufferedBytes,
        BodyTimeout = Above(BodyTimeout, nameof(BodyTimeout)) ?? limits.BodyTimeout,
        MinBodyBytesPerSecond =
            Above(MinBodyBytesPerSecond, nameof(MinBodyBytesPerSecond)) ?? limits.MinBodyBytesPerSecond,
        MinAnswerBytesPerSecond =
            Above(MinAnswerBytesPerSecond, nameof(MinAnswerBytesPerSecond)) ?? limits.MinAnswerBytesPerSecond,
        MaxJsonDepth = (int?)Above(MaxJsonDepth, nameof(MaxJsonDepth), 1000) ?? limits.MaxJsonDepth,
        MaxConnections = (int?)Above(MaxConnections, nameof(MaxConnections)) ?? limits.MaxConnections,
        HeaderTimeout = Above(HeaderTimeout, nameof(HeaderTimeout)) ?? limits.HeaderTimeout,
        KeepAliveTimeout = Above(KeepAliveTimeout, nameof(KeepAliveTimeout)) ?? limits.KeepAliveTimeout,
        MinBytesPerSecond = Above(MinBytesPerSecond, nameof(MinBytesPerSecond)) ?? limits.MinBytesPerSecond,
    };

    private static long? Above(long? value, string name, long most = long.MaxValue) =>
        value is null || (value > 0 && value <= most) ? value : throw Unsound(name, $"{value}");

    private static double? Above(double? value, string name) =>
        value is null || (value > 0 && double.IsFinite(value.Value))
            ? value
            : throw Unsound(name, value.Value.ToString(CultureInfo.InvariantCulture));

    private static TimeSpan? Above(TimeSpan? value, string name) =>
        value is null || (value > TimeSpan.Zero && value <= TimeSpan.FromDays(1))
            ? value
            : throw Unsound(name, $"{value}");

    private static UnavailableException Unsound(string name, string value) =>
        new($"The setting Limits:{name} is {value}, which is too little or too much.");
}
