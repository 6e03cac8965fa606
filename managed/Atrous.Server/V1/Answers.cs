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

/// <summary>A file to save.</summary>
/// <param name="Contents">The bytes of the file.</param>
/// <param name="Name">Its name for who saves it.</param>
/// <param name="Type">The media type of the file.</param>
/// <param name="Room">The memory that it takes, where it is more than a picture.</param>
internal sealed record FileAnswer(MemoryStream Contents, string Name, string Type, IDisposable? Room) : IAnswer
{
    public void Dispose() => Room?.Dispose();

    public async Task WriteAsync(HttpResponse response, CancellationToken cancellationToken)
    {
        ServerLimits limits = response.HttpContext.RequestServices.GetRequiredService<ServerOptions>().Limits;
        using CancellationTokenSource deadline = AnswerRoom.Deadline(limits, Contents.Length, cancellationToken);
        response.ContentType = Type;
        response.ContentLength = Contents.Length;
        response.Headers.ContentDisposition = $"attachment; filename=\"{Name}\"";
        await response.Body.WriteAsync(
            Contents.GetBuffer().AsMemory(0, (int)Contents.Length), Room is null ? cancellationToken : deadline.Token);
    }
}

/// <summary>A picture file.</summary>
/// <param name="Bytes">The contents of the file.</param>
/// <param name="Name">Its name for who saves it.</param>
/// <param name="Type">The format of the file, "png" or "jpeg".</param>
internal sealed record PictureAnswer(MemoryStream Bytes, string Name, string Type) : IAnswer
{
    public void Dispose()
    {
    }

    public Task WriteAsync(HttpResponse response, CancellationToken cancellationToken)
    {
        response.ContentType = "image/" + Type;
        response.ContentLength = Bytes.Length;
        response.Headers.ContentDisposition = $"inline; filename=\"{Name}.{Type}\"";
        return response.Body.WriteAsync(Bytes.GetBuffer().AsMemory(0, (int)Bytes.Length), cancellationToken).AsTask();
    }
}
