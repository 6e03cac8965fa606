using Atrous.Formats;

namespace Atrous.Server.V1;

/// <summary>A file that is answered, of one of the formats that the tool writes too.</summary>
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
    ];

    /// <summary>Whether the mask needs the confidence of every pixel.</summary>
    public bool NeedsConfidence { get; init; }

    /// <summary>It is made of the photo; the others of the outlines alone.</summary>
    public bool IsPicture => Suffix.EndsWith(".png", StringComparison.Ordinal);

    /// <summary>The media type of the file.</summary>
    public string Type => Path.GetExtension(Suffix) switch
    {
        ".png" => "image/png",
        ".geojson" => "application/geo+json",
        ".json" => "application/json",
        ".svg" => "image/svg+xml",
        ".xml" => "application/xml",
        _ => "text/plain; charset=utf-8",
    };
}
