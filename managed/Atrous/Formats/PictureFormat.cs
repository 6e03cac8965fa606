namespace Atrous.Formats;

/// <summary>A format with a file for each picture.</summary>
/// <param name="Name">The name that the tool and requests use.</param>
/// <param name="Suffix">What takes the place of the picture's extension: ".geojson".</param>
/// <param name="Write">Writes the file to a stream.</param>
internal sealed record PictureFormat(string Name, string Suffix, Action<Stream, AnnotatedPicture> Write)
{
    /// <summary>Whether the mask needs the confidence of every pixel.</summary>
    public bool NeedsConfidence { get; init; }

    /// <summary>Whether it needs the probability of every class of every pixel.</summary>
    public bool NeedsProbabilities { get; init; }

    /// <summary>Whether it can be written of a mask that is never held whole: <see cref="GeoJsonRows"/>.</summary>
    public bool IsOfRows { get; init; }

    /// <summary>
    /// Whether annotations that were made by hand have the same names beside their pictures, and would be lost.
    /// </summary>
    public bool IsNamedAsByHand { get; init; }
}
