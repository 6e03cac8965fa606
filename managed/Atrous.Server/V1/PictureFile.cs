using System.Buffers;
using Atrous.Imaging.Formats;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.WebUtilities;
using Microsoft.Net.Http.Headers;

namespace Atrous.Server.V1;

/// <summary>The picture file of a request: its body, or a part of it.</summary>
internal static class PictureFile
{
    private const string PartName = "image";

    /// <summary>
    /// The file within the body, which begins as one of the formats does: any content type will do for a body that is a
    /// picture, and multipart/form-data holds it as the part named "image" or as the only part with a file name.
    /// </summary>
    /// <exception cref="BadHttpRequestException">
    /// 400 or 415: there is no picture.
    /// </exception>
    public static async Task<ReadOnlyMemory<byte>> FindAsync(
        string? contentType, ReadOnlyMemory<byte> body, CancellationToken cancellationToken)
    {
        ReadOnlyMemory<byte> file = MediaTypeHeaderValue.TryParse(contentType, out MediaTypeHeaderValue? type)
            && type.MediaType.Equals("multipart/form-data", StringComparison.OrdinalIgnoreCase)
            ? await FindPartAsync(type, body, cancellationToken)
            : body;
        CheckKind(file.Span);
        return file;
    }

    private static void CheckKind(ReadOnlySpan<byte> file)
    {
        if (file.IsEmpty)
            throw new BadHttpRequestException(
                "There is no picture; send a picture file as the body, or as a part named \"image\".");
        // Of a file that is cut off in its first bytes the decoder says what it lacks.
        if (PictureDecoder.Recognise(file) is null && !file.StartsWith<byte>([0xff, 0xd8]))
        {
            throw new BadHttpRequestException(
                "What was sent is no JPEG, PNG, WebP, GIF, BMP or TIFF; convert the picture to one of these.",
                StatusCodes.Status415UnsupportedMediaType);
        }
    }

    private static async Task<ReadOnlyMemory<byte>> FindPartAsync(
        MediaTypeHeaderValue type, ReadOnlyMemory<byte> body, CancellationToken cancellationToken)
    {
        string boundary = HeaderUtilities.RemoveQuotes(type.Boundary).ToString();
        if (boundary.Length is 0 or > 70)
            throw new BadHttpRequestException(
                "The multipart body has no sound boundary; its Content-Type names one of 1 to 70 characters.");
        ReadOnlyMemory<byte>? found = null;
        try
        {
            using MemoryHandle pin = body.Pin();
            using Stream stream = StreamOf(pin, body.Length);
            var reader = new MultipartReader(boundary, stream);
            while (await reader.ReadNextSectionAsync(cancellationToken) is { } section)
            {
                if (!IsPicture(section))
                    continue;
                if (found is not null)
                    throw new BadHttpRequestException("There are several pictures in the request; send one at a time.");
                await section.Body.DrainAsync(cancellationToken);
                // The stream can seek, so that the reader tells where the part lies: nothing need be copied.
                found = body.Slice((int)section.BaseStreamOffset!.Value, (int)section.Body.Length);
            }
        }
        catch (Exception e) when (e is InvalidDataException or IOException and not BadHttpRequestException)
        {
            throw new BadHttpRequestException(
                "The multipart body is broken or cut off; send it again.", StatusCodes.Status400BadRequest, e);
        }
        return found ?? default;
    }

    private static unsafe UnmanagedMemoryStream StreamOf(MemoryHandle pin, int length) =>
        new((byte*)pin.Pointer, length);

    private static bool IsPicture(MultipartSection section) =>
        ContentDispositionHeaderValue.TryParse(
            section.ContentDisposition, out ContentDispositionHeaderValue? disposition)
        // Whether a file is named, and not how: decoding a name that is empty or broken would throw.
        && (disposition.Parameters.Any(parameter => IsNamed(parameter, "filename") || IsNamed(parameter, "filename*"))
            || HeaderUtilities.RemoveQuotes(disposition.Name) == PartName);

    private static bool IsNamed(NameValueHeaderValue parameter, string name) =>
        parameter.Name.Equals(name, StringComparison.OrdinalIgnoreCase);
}
