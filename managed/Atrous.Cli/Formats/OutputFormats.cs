using Atrous.Cli.Output;

namespace Atrous.Cli.Formats;

/// <summary>The formats that --format names.</summary>
internal static class OutputFormats
{
    public static readonly IReadOnlyList<PictureFormat> OfPicture =
    [
        new("geojson", ".geojson", GeoJson.Write),
        new("yolo", ".txt", Yolo.Write) { IsNamedAsByHand = true },
        new("labelme", ".json", LabelMe.Write) { IsNamedAsByHand = true },
        new("svg", ".svg", Svg.Write),
        new("rgb", OutputNames.Colours, DrawnPicture.WriteColours),
        new("legend", OutputNames.Legend, DrawnPicture.WriteLegend),
        new("outlines", OutputNames.Outlines, DrawnPicture.WriteOutlines),
        new("sidebyside", OutputNames.SideBySide, DrawnPicture.WriteSideBySide),
        new("cutout", OutputNames.Cutout, DrawnPicture.WriteCutout),
        new("confidence", OutputNames.Confidence, DrawnPicture.WriteConfidence) { NeedsConfidence = true },
    ];

    public static readonly IReadOnlyList<RunFormat> OfRun =
    [
        new("coco", "annotations.coco.json", (stream, classes) => new CocoWriter(stream, classes)),
        new("cvat", "annotations.cvat.xml", (stream, classes) => new CvatWriter(stream, classes)),
        new("labelstudio", "annotations.labelstudio.json", (stream, _) => new LabelStudioWriter(stream)),
        new("yolo", "classes.txt", (stream, classes) => new YoloClasses(stream, classes)) { HasClassesAlone = true },
    ];

    /// <summary>All names, in the order of the help.</summary>
    public static IReadOnlyList<string> Names { get; } =
        [.. OfPicture.Select(format => format.Name).Union(OfRun.Select(format => format.Name))];
}
