namespace Atrous.Formats;

/// <summary>The formats of outputs by the names that the tool and requests use.</summary>
internal static class OutputFormats
{
    public static readonly IReadOnlyList<PictureFormat> OfPicture =
    [
        new("geojson", ".geojson", GeoJson.Write) { IsOfRows = true },
        new("yolo", ".txt", Yolo.Write) { IsNamedAsByHand = true },
        new("labelme", ".json", LabelMe.Write) { IsNamedAsByHand = true },
        new("svg", ".svg", Svg.Write),
        new("rgb", ".rgb.png", DrawnPicture.WriteColours),
        new("legend", ".legend.png", DrawnPicture.WriteLegend),
        new("outlines", ".outlines.png", DrawnPicture.WriteOutlines),
        new("sidebyside", ".sidebyside.png", DrawnPicture.WriteSideBySide),
        new("cutout", ".cutout.png", DrawnPicture.WriteCutout),
        new("confidence", ".confidence.png", DrawnPicture.WriteConfidence) { NeedsConfidence = true },
        new("confidence8", ".confidence8.png", DrawnPicture.WriteConfidence8) { NeedsConfidence = true },
        new("probabilities", ".probabilities.safetensors", ProbabilityFiles.WriteSafetensors)
        {
            NeedsProbabilities = true,
        },
        new("npy", ".probabilities.npy", ProbabilityFiles.WriteNpy) { NeedsProbabilities = true },
        new("floattiff", ".probabilities.tif", ProbabilityFiles.WriteTiff) { NeedsProbabilities = true },
    ];

    public static readonly IReadOnlyList<RunFormat> OfRun =
    [
        new("coco", "annotations.coco.json", (stream, classes) => new CocoWriter(stream, classes))
        {
            IsJoined = true,
        },
        new("cvat", "annotations.cvat.xml", (stream, classes) => new CvatWriter(stream, classes)),
        new("labelstudio", "annotations.labelstudio.json", (stream, _) => new LabelStudioWriter(stream)),
        new("yolo", "classes.txt", (stream, classes) => new YoloClasses(stream, classes)) { HasClassesAlone = true },
    ];

    /// <summary>All names, in the order of the help.</summary>
    public static IReadOnlyList<string> Names { get; } =
        [.. OfPicture.Select(format => format.Name).Union(OfRun.Select(format => format.Name))];
}
