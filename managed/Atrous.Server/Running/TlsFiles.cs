using System.Net.Security;
using System.Security.Authentication;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.AspNetCore.Server.Kestrel.Https;
using Microsoft.Extensions.Logging;

namespace Atrous.Server.Running;

/// <summary>
/// The server's certificate with its chain and key, from files of PEM. New connections get what the files hold then;
/// where that cannot be used, what they held before.
/// </summary>
internal sealed partial class TlsFiles
{
    private static readonly TimeSpan Pause = TimeSpan.FromSeconds(1);

    private readonly Lock _lock = new();
    private readonly string _certificate, _key;
    private readonly ILogger _logger;
    private readonly TimeProvider _time;
    private SslStreamCertificateContext _context;
    private (DateTime, DateTime) _stamp;
    private long _looked;

    /// <param name="certificate">The file of the certificate, and behind it those that lead to a known one.</param>
    /// <param name="key">The file of its private key, which may be the same.</param>
    /// <param name="logger">Is told when the files have changed.</param>
    /// <param name="time">The clock by which the files are looked at.</param>
    /// <exception cref="UnavailableException">The files cannot be used.</exception>
    public TlsFiles(string certificate, string key, ILogger logger, TimeProvider time)
    {
        (_certificate, _key, _logger, _time) = (certificate, key, logger, time);
        _stamp = Stamp();
        _context = Load();
        _looked = time.GetTimestamp();
    }

    /// <summary>Puts TLS before all that an endpoint speaks.</summary>
    public void Guard(ListenOptions endpoint) => endpoint.UseHttps(new TlsHandshakeCallbackOptions
    {
        OnConnection = _ => ValueTask.FromResult(new SslServerAuthenticationOptions
        {
            ServerCertificateContext = Current(),
            EnabledSslProtocols = SslProtocols.Tls12 | SslProtocols.Tls13,
            ApplicationProtocols = endpoint.Protocols == HttpProtocols.Http2
                ? [SslApplicationProtocol.Http2]
                : [SslApplicationProtocol.Http2, SslApplicationProtocol.Http11],
        }),
    });

    /// <summary>What a new connection gets.</summary>
    public SslStreamCertificateContext Current()
    {
        lock (_lock)
        {
            if (_time.GetElapsedTime(_looked) < Pause)
                return _context;
            _looked = _time.GetTimestamp();
            (DateTime, DateTime) stamp = Stamp();
            if (stamp == _stamp)
                return _context;
            try
            {
                _context = Load();
                _stamp = stamp;
                Renewed(_logger, _context.TargetCertificate.NotAfter);
            }
            catch (UnavailableException e)
            {
                // Perhaps one of the two is still to be written: the next connection looks again.
                Kept(_logger, e.Message);
            }
            return _context;
        }
    }

    private SslStreamCertificateContext Load()
    {
        try
        {
            var chain = new X509Certificate2Collection();
            chain.ImportFromPemFile(_certificate);
            X509Certificate2 leaf = X509Certificate2.CreateFromPemFile(_certificate, _key);
            if (OperatingSystem.IsWindows())
            {
                // Its TLS takes no key that lies in memory alone.
                using X509Certificate2 inMemory = leaf;
                leaf = X509CertificateLoader.LoadPkcs12(inMemory.Export(X509ContentType.Pkcs12), null);
            }
            return SslStreamCertificateContext.Create(leaf, chain, offline: true);
        }
        catch (Exception e) when (e is CryptographicException or ArgumentException or IOException
            or UnauthorizedAccessException)
        {
            throw new UnavailableException(
                $"The certificate {_certificate} and the key {_key} cannot be used ({e.Message.TrimEnd('.')}); give "
                + "files of PEM, the key without a password.");
        }
    }

    private (DateTime, DateTime) Stamp() => (TimeOf(_certificate), TimeOf(_key));

    /// <summary>Of what a link leads to: what renews certificates often changes that alone.</summary>
    private static DateTime TimeOf(string path)
    {
        try
        {
            return (File.ResolveLinkTarget(path, returnFinalTarget: true) ?? new FileInfo(path)).LastWriteTimeUtc;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return default; // loading says what is wrong
        }
    }

    [LoggerMessage(1, LogLevel.Information, "The certificate is a new one, until {Until:u}")]
    private static partial void Renewed(ILogger logger, DateTime until);

    [LoggerMessage(2, LogLevel.Warning, "The certificate stays the old one: {Reason}")]
    private static partial void Kept(ILogger logger, string reason);
}
