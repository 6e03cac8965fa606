using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;

namespace Atrous.Server.V1;

/// <summary>An answer that is ready to be sent.</summary>
internal interface IAnswer : IDisposable
{
    Task WriteAsync(HttpResponse response, CancellationToken cancellationToken);
}

/// <summary>JSON.</summary>
/// <param name="Report">What the answer says.</param>
/// <param name="Room">The memory that it takes, where it is more than a few lines.</param>
/// <param name="Bytes">How much memory that is.</param>
internal sealed record ReportAnswer(SegmentReport Report, IDisposable? Room, long Bytes) : IAnswer
{
    public void Dispose() => Room?.Dispose();

    public async Task WriteAsync(HttpResponse response, CancellationToken cancellationToken)
    {
        ServerLimits limits = response.HttpContext.RequestServices.GetRequiredService<ServerOptions>().Limits;
        using CancellationTokenSource deadline = AnswerRoom.Deadline(limits, Bytes, cancellationToken);
        await response.WriteAsJsonAsync(Report, ServerJson.Web.SegmentReport, cancellationToken: deadline.Token);
    }
}

/// <summary>A file: outlines, or a picture.</summary>
/// <param name="Contents">The bytes of the file.</param>
/// <param name="Disposition">How browsers take it, and its name for who saves it.</param>
/// <param name="Type">The media type of the file.</param>
/// <param name="Room">The memory that it takes.</param>
internal sealed record FileAnswer(MemoryStream Contents, string Disposition, string Type, IDisposable? Room) : IAnswer
{
    private const int BlockBytes = 64 << 10;

    public void Dispose() => Room?.Dispose();

    public async Task WriteAsync(HttpResponse response, CancellationToken cancellationToken)
    {
        ServerLimits limits = response.HttpContext.RequestServices.GetRequiredService<ServerOptions>().Limits;
        using CancellationTokenSource deadline = AnswerRoom.Deadline(limits, Contents.Length, cancellationToken);
        response.ContentType = Type;
        response.ContentLength = Contents.Length;
        response.Headers.ContentDisposition = Disposition;
        ReadOnlyMemory<byte> left = Contents.GetBuffer().AsMemory(0, (int)Contents.Length);
        // What is written at once is copied at once: a second time the memory, for as long as the client takes.
        while (!left.IsEmpty)
        {
            ReadOnlyMemory<byte> block = left[..Math.Min(left.Length, BlockBytes)];
            await response.Body.WriteAsync(block, deadline.Token);
            left = left[block.Length..];
        }
    }
}
