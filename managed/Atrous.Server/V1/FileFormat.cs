using Atrous.Formats;
using Atrous.Postprocessing;

namespace Atrous.Server.V1;

/// <summary>A file that is answered, of one of the formats that the tool writes too, or the mask as a TIFF.</summary>
/// <param name="Name">The name that requests ask for it by.</param>
/// <param name="Suffix">The end of the file's name: ".geojson".</param>
/// <param name="Write">Writes the file of a picture to a stream.</param>
internal sealed record FileFormat(string Name, string Suffix, Action<Stream, AnnotatedPicture> Write)
{
    /// <summary>All but those of probabilities, which take far more memory than a picture.</summary>
    public static readonly IReadOnlyList<FileFormat> All =
    [
        .. OutputFormats.OfPicture.Where(format => !format.NeedsProbabilities).Select(format =>
            new FileFormat(format.Name, format.Suffix, format.Write) { NeedsConfidence = format.NeedsConfidence }),
        .. OutputFormats.OfRun.Where(format => !format.HasClassesAlone).Select(format =>
            new FileFormat(format.Name, "." + format.File.Split('.', 2)[1], (stream, picture) =>
            {
                using RunWriter writer = format.Open(stream, RunClasses.Of(picture.Mask, picture.Palette));
                writer.Add(picture);
            })),
        new("tiff", ".mask.tif", (stream, picture) =>
        {
            Segmentation mask = picture.Mask;
            using var rows = new LabelTiff(
                stream, mask.Height, mask.Width, mask.FileClasses, mask.Written(picture.Palette), picture.Tags,
                mask.NoDataLabel);
            rows.Write(mask.Labels);
            rows.End();
        }),
    ];

    /// <summary>Whether the mask needs the confidence of every pixel.</summary>
    public bool NeedsConfidence { get; init; }

    /// <summary>It has pixels; the others have outlines alone.</summary>
    public bool IsPicture => Path.GetExtension(Suffix) is ".png" or ".tif";

    /// <summary>The media type of the file.</summary>
    public string Type => Path.GetExtension(Suffix) switch
    {
        ".png" => "image/png",
        ".tif" => "image/tiff",
        ".geojson" => "application/geo+json",
        ".json" => "application/json",
        ".svg" => "image/svg+xml",
        ".xml" => "application/xml",
        _ => "text/plain; charset=utf-8",
    };
}
