using System.IO.Hashing;
using System.Reflection;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Net.Http.Headers;

namespace Atrous.Server.Web;

/// <summary>
/// The page at /, the reader of the API's description at /docs, and the sample pictures: all from this assembly.
/// </summary>
internal static class WebPage
{
    private const string Pages = "web/", Samples = "samples/";

    /// <summary>
    /// Nothing but this server's own files, no inline script or style, no frame around it, and no text that becomes
    /// markup.
    /// </summary>
    private const string ContentSecurityPolicy =
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; base-uri 'none'; "
        + "form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'";

    public static void Map(IEndpointRouteBuilder routes)
    {
        RouteGroupBuilder group = routes.MapGroup("").ExcludeFromDescription();
        Dictionary<string, WebFile> files = WebFile.All();
        group.MapGet("/", () => Send(files[Pages + "index.html"]));
        group.MapGet("/docs", () => Send(files[Pages + "docs.html"]));
        group.MapGet("/web/{name}", (string name) => Find(files, Pages + name));
        string[] samples =
        [
            .. files.Keys.Where(name => name.StartsWith(Samples, StringComparison.Ordinal))
                .Select(name => name[Samples.Length..]).Order(StringComparer.Ordinal),
        ];
        group.MapGet("/samples", () => TypedResults.Json(samples, ServerJson.Web.StringArray));
        group.MapGet("/samples/{name}", (string name) => Find(files, Samples + name));
        group.AddEndpointFilter(async (context, next) =>
        {
            IHeaderDictionary headers = context.HttpContext.Response.Headers;
            headers.ContentSecurityPolicy = ContentSecurityPolicy;
            headers.XContentTypeOptions = "nosniff";
            headers["Referrer-Policy"] = "no-referrer";
            headers["Cross-Origin-Opener-Policy"] = "same-origin";
            // Asked for again each time, and answered with 304 while it is the same.
            headers.CacheControl = "no-cache";
            return await next(context);
        });
    }

    private static IResult Find(Dictionary<string, WebFile> files, string name) =>
        files.TryGetValue(name, out WebFile? file)
            ? Send(file)
            : throw new BadHttpRequestException("There is no such file.", StatusCodes.Status404NotFound);

    private static IResult Send(WebFile file) =>
        TypedResults.Bytes(file.Contents, file.ContentType, entityTag: file.Tag);

    /// <summary>A file of the assembly.</summary>
    private sealed record WebFile(byte[] Contents, string ContentType, EntityTagHeaderValue Tag)
    {
        /// <summary>All files by name, "web/app.js" or "samples/street.png".</summary>
        public static Dictionary<string, WebFile> All()
        {
            Assembly assembly = typeof(WebPage).Assembly;
            return assembly.GetManifestResourceNames()
                .Where(name => name.StartsWith(Pages, StringComparison.Ordinal)
                || name.StartsWith(Samples, StringComparison.Ordinal))
                .ToDictionary(name => name, name => Read(assembly, name));
        }

        private static WebFile Read(Assembly assembly, string name)
        {
            using Stream stream = assembly.GetManifestResourceStream(name)!;
            var contents = new byte[stream.Length];
            stream.ReadExactly(contents);
            return new WebFile(contents, TypeOf(name),
                new EntityTagHeaderValue($"\"{Convert.ToHexStringLower(XxHash128.Hash(contents))}\""));
        }

        private static string TypeOf(string name) => Path.GetExtension(name) switch
        {
            ".html" => "text/html; charset=utf-8",
            ".css" => "text/css; charset=utf-8",
            ".js" => "text/javascript; charset=utf-8",
            ".svg" => "image/svg+xml",
            ".png" => "image/png",
            ".jpg" => "image/jpeg",
            _ => throw new InvalidOperationException($"The resource {name} has no known content type."),
        };
    }
}
