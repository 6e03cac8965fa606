using System.Net.Security;
using System.Security.Authentication;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Atrous.Files;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.AspNetCore.Server.Kestrel.Https;
using Microsoft.Extensions.Logging;

namespace Atrous.Server.Running;

/// <summary>
/// The server's certificate with its chain and key, and those that vouch for clients, from files of PEM. New
/// connections get what the files hold then; where that cannot be used, what they held before.
/// </summary>
internal sealed partial class TlsFiles
{
    /// <summary>What a client's certificate is for, where it says what it is for.</summary>
    private const string ClientAuthentication = "1.3.6.1.5.5.7.3.2";

    /// <summary>More than any chain, and any company's list of authorities.</summary>
    private const int MaxBytes = 4 << 20;

    private static readonly TimeSpan Pause = TimeSpan.FromSeconds(1);

    private readonly Lock _lock = new();
    private readonly string _certificate, _key;
    private readonly string? _clients;
    private readonly bool _asksEveryone;
    private readonly ILogger _logger;
    private readonly TimeProvider _time;
    private TlsIdentity _identity;
    private (DateTime, DateTime, DateTime) _stamp;
    private long _looked;

    /// <param name="options">The options that name the files.</param>
    /// <param name="logger">Is told when the files have changed.</param>
    /// <param name="time">The clock by which the files are looked at.</param>
    /// <exception cref="UnavailableException">The files cannot be used.</exception>
    public TlsFiles(ServerOptions options, ILogger logger, TimeProvider time)
    {
        (_logger, _time) = (logger, time);
        _certificate = options.TlsCertificate!;
        _key = options.TlsKey ?? _certificate;
        _clients = options.TlsClientCa;
        _asksEveryone = _clients is not null && !options.TlsClientForAdminAlone;
        _stamp = Stamp();
        _identity = Load();
        _looked = time.GetTimestamp();
    }

    /// <summary>Puts TLS before all that an endpoint speaks.</summary>
    public void Guard(ListenOptions endpoint) => endpoint.UseHttps(new TlsHandshakeCallbackOptions
    {
        OnConnection = _ =>
        {
            TlsIdentity identity = Current();
            return ValueTask.FromResult(new SslServerAuthenticationOptions
            {
                ServerCertificateContext = identity.Server,
                EnabledSslProtocols = SslProtocols.Tls12 | SslProtocols.Tls13,
                ApplicationProtocols = endpoint.Protocols == HttpProtocols.Http2
                    ? [SslApplicationProtocol.Http2]
                    : [SslApplicationProtocol.Http2, SslApplicationProtocol.Http11],
                ClientCertificateRequired = identity.Clients is not null,
                // A session that is taken up again would bring along who was vouched for before.
                AllowTlsResume = identity.Clients is null,
                CertificateChainPolicy = identity.Clients is { } authorities ? PolicyOf(authorities) : null,
                RemoteCertificateValidationCallback = identity.Clients is null
                    ? null
                    : (_, given, _, errors) => IsClient(given, errors),
            });
        },
    });

    /// <summary>
    /// These authorities and no others vouch for clients; nothing is fetched on the word of a certificate.
    /// </summary>
    private static X509ChainPolicy PolicyOf(X509Certificate2Collection authorities)
    {
        var policy = new X509ChainPolicy
        {
            TrustMode = X509ChainTrustMode.CustomRootTrust,
            RevocationMode = X509RevocationMode.NoCheck,
            DisableCertificateDownloads = true,
            ApplicationPolicy = { new Oid(ClientAuthentication) },
        };
        policy.CustomTrustStore.AddRange(authorities);
        return policy;
    }

    /// <summary>Without a certificate, where only some calls need one; else with one that is vouched for.</summary>
    private bool IsClient(X509Certificate? given, SslPolicyErrors errors)
    {
        if (given is null)
            return !_asksEveryone;
        if (errors != SslPolicyErrors.None)
            Refused(_logger, given.Subject, errors);
        return errors == SslPolicyErrors.None;
    }

    /// <summary>What a new connection gets.</summary>
    public TlsIdentity Current()
    {
        lock (_lock)
        {
            if (_time.GetElapsedTime(_looked) < Pause)
                return _identity;
            _looked = _time.GetTimestamp();
            (DateTime, DateTime, DateTime) stamp = Stamp();
            if (stamp == _stamp)
                return _identity;
            try
            {
                _identity = Load();
                _stamp = stamp;
                Renewed(_logger, _identity.Server.TargetCertificate.NotAfter);
            }
            catch (UnavailableException e)
            {
                // Perhaps one of the two is still to be written: the next connection looks again.
                Kept(_logger, e.Message);
            }
            return _identity;
        }
    }

    private TlsIdentity Load() => new(LoadServer(), _clients is null ? null : LoadClients(_clients));

    private static X509Certificate2Collection LoadClients(string path)
    {
        var authorities = new X509Certificate2Collection();
        try
        {
            authorities.ImportFromPem(ReadPem(path));
        }
        catch (Exception e) when (e is CryptographicException or ArgumentException or IOException
            or UnauthorizedAccessException)
        {
            throw new UnavailableException(
                $"The certificates {path} of those that vouch for clients cannot be used ({e.Message.TrimEnd('.')}); "
                + "give a file of PEM.");
        }
        return authorities.Count > 0
            ? authorities
            : throw new UnavailableException(
                $"{path} has no certificate of PEM, so that nobody would vouch for clients; give a file with one.");
    }

    private SslStreamCertificateContext LoadServer()
    {
        try
        {
            var chain = new X509Certificate2Collection();
            string certificates = ReadPem(_certificate);
            chain.ImportFromPem(certificates);
            X509Certificate2 leaf = X509Certificate2.CreateFromPem(certificates, ReadPem(_key));
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

    /// <exception cref="IOException">It is not there, without an end, or larger than any of its kind.</exception>
    private static string ReadPem(string path)
    {
        using FileStream file = RegularFile.OpenRead(path);
        if (file.Length > MaxBytes)
            throw new IOException($"{path} has {file.Length:N0} bytes, which no file of certificates has");
        using var reader = new StreamReader(file);
        return reader.ReadToEnd();
    }

    private (DateTime, DateTime, DateTime) Stamp() =>
        (TimeOf(_certificate), TimeOf(_key), _clients is null ? default : TimeOf(_clients));

    /// <summary>Of what a link leads to: what renews certificates often changes that alone.</summary>
    private static DateTime TimeOf(string path)
    {
        try
        {
            return (File.ResolveLinkTarget(path, returnFinalTarget: true) ?? new FileInfo(path)).LastWriteTimeUtc;
        }
        catch (Exception e) when (e is ArgumentException or IOException or UnauthorizedAccessException)
        {
            return default; // loading says what is wrong
        }
    }

    [LoggerMessage(1, LogLevel.Information, "The certificate is a new one, until {Until:u}")]
    private static partial void Renewed(ILogger logger, DateTime until);

    [LoggerMessage(2, LogLevel.Warning, "The certificate stays the old one: {Reason}")]
    private static partial void Kept(ILogger logger, string reason);

    [LoggerMessage(3, LogLevel.Warning, "The client {Subject} is refused: {Reason}")]
    private static partial void Refused(ILogger logger, string subject, SslPolicyErrors reason);
}

/// <summary>Who the server is, and who vouches for its clients.</summary>
/// <param name="Server">The certificate with its chain and key.</param>
/// <param name="Clients">Authorities; null where clients are not asked for a certificate.</param>
internal sealed record TlsIdentity(SslStreamCertificateContext Server, X509Certificate2Collection? Clients);
