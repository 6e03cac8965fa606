using Microsoft.AspNetCore.Http;

namespace Atrous.Server.V1;

/// <summary>An answer that is ready to be sent.</summary>
internal interface IAnswer
{
    Task WriteAsync(HttpResponse response, CancellationToken cancellationToken);
}

/// <summary>JSON.</summary>
internal sealed record ReportAnswer(SegmentReport Report) : IAnswer
{
    public Task WriteAsync(HttpResponse response, CancellationToken cancellationToken) =>
        response.WriteAsJsonAsync(Report, ServerJson.Web.SegmentReport, cancellationToken: cancellationToken);
}

/// <summary>A picture file.</summary>
/// <param name="Bytes">The contents of the file.</param>
/// <param name="Name">Its name for who saves it.</param>
/// <param name="Type">The format of the file, "png" or "jpeg".</param>
internal sealed record PictureAnswer(MemoryStream Bytes, string Name, string Type) : IAnswer
{
    public Task WriteAsync(HttpResponse response, CancellationToken cancellationToken)
    {
        response.ContentType = "image/" + Type;
        response.ContentLength = Bytes.Length;
        response.Headers.ContentDisposition = $"inline; filename=\"{Name}.{Type}\"";
        return response.Body.WriteAsync(Bytes.GetBuffer().AsMemory(0, (int)Bytes.Length), cancellationToken).AsTask();
    }
}
