using System.IO.Compression;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.ResponseCompression;
using Microsoft.Extensions.DependencyInjection;

namespace Atrous.Server.OpenInference;

/// <summary>
/// Compresses answers under /v2 for clients that ask for gzip or deflate. Inference-Header-Content-Length goes on
/// counting the JSON as it is before compression, as clients expect.
/// </summary>
internal static class ResponseEncoding
{
    public static void AddServices(IServiceCollection services)
    {
        services.Configure<GzipCompressionProviderOptions>(options => options.Level = CompressionLevel.Fastest);
        services.AddResponseCompression(options =>
        {
            // Masks are no secrets that a compressed length could give away.
            options.EnableForHttps = true;
            options.MimeTypes = ["application/json", "application/octet-stream"];
            options.Providers.Add<GzipCompressionProvider>();
            options.Providers.Add(new DeflateProvider());
        });
    }

    public static void Use(IApplicationBuilder application) => application.UseWhen(
        context => context.Request.Path.StartsWithSegments("/v2", StringComparison.Ordinal), v2 =>
        v2.UseResponseCompression());

    /// <summary>HTTP's deflate: zlib's container (RFC 9110, section 8.4.1.2).</summary>
    private sealed class DeflateProvider : ICompressionProvider
    {
        public string EncodingName => "deflate";

        public bool SupportsFlush => true;

        public Stream CreateStream(Stream outputStream) =>
            new ZLibStream(outputStream, CompressionLevel.Fastest, leaveOpen: true);
    }
}
