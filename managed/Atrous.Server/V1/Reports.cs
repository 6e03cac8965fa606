using System.ComponentModel;
using System.Text.Json.Serialization;
using Atrous.Hosting;
using Atrous.Postprocessing;
using Atrous.Shapes;

namespace Atrous.Server.V1;

[Description("What is on a picture.")]
internal sealed record SegmentReport(
    [property: Description("The model's name.")] string Model,
    [property: Description("What it ran on.")] string Device,
    [property: Description("Of the picture, in pixels.")] int Width,
    [property: Description("Of the picture, in pixels.")] int Height,
    [property: Description(
        "Those that occur, the largest first. Where a pixel can be of several, it counts for each.")]
    IReadOnlyList<ClassReport> Classes,
    [property: Description("Where the request's time went.")] TimeReport Milliseconds)
{
    [Description("What was wrong with the file though all its pixels were there; missing where nothing was.")]
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public string? Warning { get; init; }
}

[Description("A class of a picture.")]
internal sealed record ClassReport(
    [property: Description("The value of its pixels in the mask.")] int Index,
    [property: Description("Its name, or \"class 7\" where the model has none.")] string Name,
    [property: Description("As in the mask's palette, \"#rrggbb\".")] string Colour,
    [property: Description("How many pixels are of it.")] long Pixels,
    [property: Description("Of the whole picture, 0 to 1.")] double Share)
{
    [Description("Its run-lengths, in the format `rle`.")]
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public RunLengths? Segmentation { get; init; }

    [Description("Its regions, in the format `polygons`.")]
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public IReadOnlyList<RegionReport>? Regions { get; init; }

    /// <summary>The classes of a picture, the largest first.</summary>
    /// <param name="mask">The mask of the picture.</param>
    /// <param name="palette">The colours of the classes.</param>
    /// <param name="runs">The run-lengths of each class; null for none.</param>
    /// <param name="regions">The regions of the classes; null for none.</param>
    public static IReadOnlyList<ClassReport> Of(
        Segmentation mask, Palette palette, IReadOnlyDictionary<int, RunLengths>? runs, IEnumerable<Region>? regions)
    {
        ILookup<int, RegionReport>? byClass = regions?.ToLookup(region => region.Label, RegionReport.Of);
        return
        [
            .. mask.Shares.Select(share =>
                new ClassReport(
                    share.Label, mask.NameOf(share.Label), palette[share.Label].ToString(), share.Pixels, share.Share)
                {
                    Segmentation = runs?.GetValueOrDefault(share.Label),
                    Regions = byClass is null ? null : [.. byClass[share.Label]],
                }),
        ];
    }
}

[Description("Pixels of a class that hang together by their sides.")]
internal sealed record RegionReport(
    [property: Description("How many pixels, before anything was simplified or left out.")] long Pixels,
    [property: Description(
        "The outline, clockwise as one sees the picture, and then the holes: x and y of every corner, in pixels from "
        + "the picture's upper left corner. The first is not repeated.")]
    IReadOnlyList<IReadOnlyList<IReadOnlyList<int>>> Polygon)
{
    public static RegionReport Of(Region region) => new(
        region.Pixels,
        [.. region.Rings.Select(ring => ring.Points.Select(point => (int[])[point.X, point.Y]).ToArray())]);
}

[Description(
    "A class's mask as COCO has it: pixels are counted column by column, other classes' runs and its own take turns, " +
    "others first.")]
internal sealed record RunLengths(
    [property: Description("Height and width.")] IReadOnlyList<int> Size,
    [property: Description("The text of pycocotools, or a list of numbers.")] object Counts);

[Description("Milliseconds by stage.")]
internal sealed record TimeReport(
    [property: Description("Waiting for company and for the device.")] double Queue,
    [property: Description("From the file's bytes to pixels.")] double Decode,
    [property: Description("Resizing and normalising.")] double Preprocess,
    [property: Description("The network, for the whole batch.")] double Network,
    [property: Description("From the network's output to the mask.")] double Postprocess)
{
    public static TimeReport Of(RequestTimings timings) => new(
        Round(timings.Queue), Round(timings.Decode), Round(timings.Preprocess), Round(timings.Network),
        Round(timings.Postprocess));

    public static double Round(TimeSpan time) => Math.Round(time.TotalMilliseconds, 3);
}

[Description("The models that this server has, and its limits.")]
internal sealed record ModelsReport(
    [property: Description("In the order of their configuration.")] IReadOnlyList<ModelReport> Models,
    [property: Description("The model of requests that name none.")] string Default,
    [property: Description("What a request may cost.")] LimitsReport Limits);

[Description("A model.")]
internal sealed record ModelReport(
    [property: Description("By which requests name it.")] string Name,
    [property: Description("Whether it serves.")] ModelState State,
    [property: Description(
        "Why it does not, or why its last reload failed; empty where there is nothing to say.")] string Reason,
    [property: Description("What it runs on.")] string? Device,
    [property: Description("\"fp32\", \"bf16\", \"int8\" and so on.")] string? Precision,
    [property: Description("\"DeepLabV3+\" and so on.")] string? Architecture,
    [property: Description("\"ResNet-101\" and so on.")] string? Backbone,
    [property: Description("The input's size over the backbone's output's.")] int? OutputStride,
    [property: Description(
        "What its file does not say and was assumed, such as \"rates=6,12,18\".")] IReadOnlyList<string> Assumed,
    [property: Description(
        "Its classes, in their order; empty while it is not loaded.")] IReadOnlyList<ModelClass> Classes);

[Description("A class of a model.")]
internal sealed record ModelClass(
    [property: Description("The value of its pixels in the mask.")] int Index,
    [property: Description("Its name, or \"class 7\" where the model has none.")] string Name,
    [property: Description("As in the mask's palette, \"#rrggbb\".")] string Colour);

[Description("What a request may cost.")]
internal sealed record LimitsReport(
    [property: Description("Bytes of a body, as sent and decompressed.")] long BodyBytes,
    [property: Description("Pixels of a picture.")] long Pixels);
