using System.Net;
using System.Net.Sockets;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Connections.Features;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Net.Http.Headers;

namespace Atrous.Tests.Catalog;

/// <summary>What a request asked for, and what became of it.</summary>
public sealed record ServedRequest(string Path, string? Range, string? IfRange)
{
    public int Status { get; set; }
}

/// <summary>A server on this machine that does with every request what the test says.</summary>
public sealed class FileServer : IAsyncDisposable
{
    private readonly WebApplication _application;
    private readonly List<ServedRequest> _requests = [];

    /// <param name="answer">The request, and its number from 1.</param>
    public FileServer(Func<HttpContext, int, Task> answer)
    {
        WebApplicationBuilder builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.ConfigureKestrel(kestrel =>
        {
            kestrel.Listen(IPAddress.Loopback, 0);
            // What is flushed has been given to the system.
            kestrel.Limits.MaxResponseBufferSize = 0;
        });
        _application = builder.Build();
        _application.Run(async context =>
        {
            var request =
                new ServedRequest(context.Request.Path, Header(context, "Range"), Header(context, "If-Range"));
            int number;
            lock (_requests)
            {
                _requests.Add(request);
                number = _requests.Count;
            }
            context.Response.OnStarting(() =>
            {
                request.Status = context.Response.StatusCode;
                return Task.CompletedTask;
            });
            await answer(context, number);
        });
        _application.Start();
        Address = _application.Urls.Single();
    }

    /// <summary>A server that has one file, at every path.</summary>
    public FileServer(byte[] content, string? tag = "v1")
        : this((context, _) => Send(context, content, tag))
    {
    }

    /// <summary>"http://127.0.0.1:PORT".</summary>
    public string Address { get; }

    public IReadOnlyList<ServedRequest> Requests
    {
        get
        {
            lock (_requests)
                return [.. _requests];
        }
    }

    /// <summary>The file as ASP.NET Core sends it: with ranges, and with If-Range where there is a tag.</summary>
    public static Task Send(HttpContext context, byte[] content, string? tag = "v1") => Results.Bytes(
        content, "application/octet-stream", enableRangeProcessing: true,
        entityTag: tag is null ? null : new EntityTagHeaderValue($"\"{tag}\"")).ExecuteAsync(context);

    /// <summary>Announces all of the file, sends the first bytes, and then does something else.</summary>
    public static async Task Begin(HttpContext context, byte[] content, int bytes, Func<Task> then, string? tag = "v1")
    {
        context.Response.ContentLength = content.Length;
        if (tag is not null)
            context.Response.Headers.ETag = $"\"{tag}\"";
        await context.Response.Body.WriteAsync(content.AsMemory(0, bytes));
        await context.Response.Body.FlushAsync();
        await then();
    }

    /// <summary>Announces all of the file, sends the first bytes, and closes the connection.</summary>
    public static Task Truncate(HttpContext context, byte[] content, int bytes, string? tag = "v1") =>
        Begin(context, content, bytes, async () =>
    {
        // The end comes behind what was sent: torn down at once, the connection would lose what the client has not
        // read.
        context.Features.GetRequiredFeature<IConnectionSocketFeature>().Socket.Shutdown(SocketShutdown.Send);
        await Task.Delay(Timeout.Infinite, context.RequestAborted)
            .ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        context.Abort();
    }, tag);

    /// <summary>Bytes that differ from place to place.</summary>
    public static byte[] Content(int bytes, int seed = 1)
    {
        var content = new byte[bytes];
        new Random(seed).NextBytes(content);
        return content;
    }

    public async ValueTask DisposeAsync() => await _application.DisposeAsync();

    private static string? Header(HttpContext context, string name) =>
        context.Request.Headers.TryGetValue(name, out var value) ? value.ToString() : null;
}
