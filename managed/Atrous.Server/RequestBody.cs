using System.IO.Compression;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;

namespace Atrous.Server;

/// <summary>
/// Reads whole request bodies within the limits; every endpoint reads its body here. Memory grows with what has
/// arrived, not with what was announced, and all bodies together stay below
/// <see cref="ServerLimits.MaxBufferedBytes"/>.
/// </summary>
internal static class RequestBody
{
    private const int FirstBlock = 1 << 16;

    /// <summary>
    /// The body, decompressed where Content-Encoding says gzip or deflate. The bytes are the caller's until it disposes
    /// the lease.
    /// </summary>
    /// <exception cref="BadHttpRequestException">
    /// 413: it is too large, as sent or decompressed; 415: another encoding; 400: broken; 503: too many bodies at one
    /// time.
    /// </exception>
    public static async Task<BodyLease> ReadAsync(HttpContext context, CancellationToken cancellationToken)
    {
        ServerLimits limits = context.RequestServices.GetRequiredService<ServerOptions>().Limits;
        if (context.Request.ContentLength is { } announced && announced > limits.MaxBodyBytes)
            throw TooLarge(limits);
        (Stream body, string encoding) = Decoded(context.Request);
        var lease = new BodyLease(
            context.RequestServices.GetRequiredService<BodyBudget>(),
            BodyBudget.ClientOf(context.Connection.RemoteIpAddress), limits.MaxBodyBytes);
        using var deadline = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        deadline.CancelAfter(limits.BodyTimeout);
        try
        {
            var pace = new BodyPace(limits.MinBodyBytesPerSecond, TimeProvider.System);
            while (true)
            {
                lease.MakeRoom(FirstBlock);
                int count = await body.ReadAsync(lease.Room, deadline.Token);
                if (count == 0)
                    return lease;
                lease.Length += count;
                if (lease.Length > limits.MaxBodyBytes)
                    throw TooLarge(limits);
                if (!pace.Keeps(count))
                    throw TooSlow(limits);
            }
        }
        catch (Exception e)
        {
            lease.Dispose();
            if (e is OperationCanceledException && !cancellationToken.IsCancellationRequested)
                throw TooSlow(limits);
            // What Kestrel throws for a chunk whose size no number holds; a client that went away is another matter.
            if (e is OverflowException or IOException and not (BadHttpRequestException or ConnectionResetException))
                throw new BadHttpRequestException(
                    "The chunks of the body are broken, or larger than any body.", StatusCodes.Status400BadRequest, e);
            if (e is InvalidDataException)
                throw new BadHttpRequestException(
                    $"The body is no sound {encoding} stream.", StatusCodes.Status400BadRequest, e);
            throw;
        }
        finally
        {
            if (body != context.Request.Body)
                await body.DisposeAsync();
        }
    }

    private static (Stream Body, string Encoding) Decoded(HttpRequest request)
    {
        string encoding = request.Headers.ContentEncoding.ToString().Trim().ToLowerInvariant();
        return encoding switch
        {
            "" or "identity" => (request.Body, ""),
            "gzip" or "x-gzip" => (new GZipStream(request.Body, CompressionMode.Decompress, leaveOpen: true), "gzip"),
            // HTTP's deflate is zlib's format (RFC 9110, 8.4.1.2).
            "deflate" => (new ZLibStream(request.Body, CompressionMode.Decompress, leaveOpen: true), "deflate"),
            _ => throw new BadHttpRequestException(
                "The body has a Content-Encoding other than gzip, deflate or identity; send one of these.",
                StatusCodes.Status415UnsupportedMediaType),
        };
    }

    private static BadHttpRequestException TooSlow(ServerLimits limits) => new(
        $"The body came too slowly: it has {limits.BodyTimeout.TotalSeconds:0.###} s in all, and at least " +
        $"{limits.MinBodyBytesPerSecond:0} bytes a second, decompressed where it was compressed.",
        StatusCodes.Status408RequestTimeout);

    private static BadHttpRequestException TooLarge(ServerLimits limits) => new(
        $"The body is larger than the {limits.MaxBodyBytes} bytes that are allowed, decompressed where it was " +
        $"compressed.",
        StatusCodes.Status413PayloadTooLarge);
}
