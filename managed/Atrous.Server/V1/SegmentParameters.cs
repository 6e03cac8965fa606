using System.Text.Json.Nodes;
using Atrous.Scoring;
using Microsoft.OpenApi;

namespace Atrous.Server.V1;

/// <summary>A query parameter, as the OpenAPI document has it.</summary>
internal sealed record SegmentParameter(string Name, string Description, OpenApiSchema Schema)
{
    public OpenApiParameter ToOpenApi() => new()
    {
        Name = Name,
        In = ParameterLocation.Query,
        Description = Description,
        Schema = Schema,
    };
}

/// <summary>The query parameters that there are.</summary>
internal static class SegmentParameters
{
    public static readonly SegmentParameter Palette = Choice(
        "palette",
        "The classes' colours: `default` stays apart for colour-blind people (for the classes of Cityscapes it is " +
        "theirs), `cityscapes` and `voc` are those data sets' own.",
        SegmentQuery.Palettes.Keys, "default");

    public static readonly IReadOnlyList<SegmentParameter> All =
    [
        new("model", "The model's name, of those that `/v1/models` lists; the default one where it is left out.",
            new() { Type = JsonSchemaType.String }),
        Choice(
            "format",
            "What is answered: `png`, the mask, whose pixel is the number of its class (8-bit palette, or 16-bit " +
            "grey for more than 256 classes); "
            + "`overlay`, the picture with the classes' colours over it; `json`, how much of the picture each class " +
                "covers; "
            + "`rle`, the same with COCO's run-lengths of each class; "
            + "`polygons`, the same with the regions of each class as polygons; the others are files that annotation "
            + "tools and people read.",
            SegmentQuery.Formats.Keys, "png"),
        Palette,
        Number("opacity", "Of an overlay's colours: 0 shows the picture alone, 1 the colours alone.", 0, 1, 0.6),
        Choice("encoding", "Of an overlay.", SegmentQuery.Encodings.Keys, "png"),
        Whole("quality", "Of an overlay that is a JPEG.", 1, 100, 90),
        Choice("counts", "Run-lengths as the text of pycocotools, or as a list of numbers.", SegmentQuery.Counts.Keys,
            "compressed"),
        Number("simplify",
            "Polygons' corners that lie within so many pixels of a straight line are dropped; neighbours keep one " +
            "line between them.", 0, SegmentQuery.MaxSimplify, 0),
        Whole("min-area", "Polygons and holes of fewer pixels are left out.", 1, int.MaxValue, 1),
        new("only",
            "Of polygons, annotations and cut-outs: the classes that are wanted, by name or number, with commas.",
            new() { Type = JsonSchemaType.String }),
        new("name", "What annotations call the picture; `picture` where it is left out.",
            new() { Type = JsonSchemaType.String }),
        Whole("tile",
            "Slides a window of so many pixels over the picture at its own scale and blends the scores. With any of "
            + "tile, scales, flip and crf the picture is scored as these say, not as the server's own options do.",
            SlidingWindow.LeastSize, SlidingWindow.MostSize, null),
        Number("overlap", "The share of a tile that the next one covers too.", 0, SlidingWindow.MostOverlap,
            SlidingWindow.UsualOverlap),
        new("scales",
            "Scores the picture at each of these scales and averages the probabilities: numbers from 0.1 to 4 with "
            + "commas, such as `0.75,1,1.25`.",
            new() { Type = JsonSchemaType.String }),
        new("flip", "Scores the picture mirrored as well, and averages the probabilities.",
            new() { Type = JsonSchemaType.Boolean, Default = false }),
        Choice("crf",
            "Sharpens the mask along the picture's edges with a fully-connected CRF. Not with tile. A large picture's "
            + "works at a smaller size, which the warning says.",
            SegmentQuery.Crfs.Keys, "none"),
        Number("timeout",
            "The longest time to the result, in seconds; the model's own limit where it is left out or longer than " +
            "that.", 0.001, 86400, null),
        Whole("priority", "1 is served first; the model's default where it is left out.", 1, 100, null),
    ];

    private static SegmentParameter Choice(
        string name, string description, IEnumerable<string> values, string otherwise) =>
        new(name, description,
            new()
            {
                Type = JsonSchemaType.String,
                Enum = [.. values.Select(value => JsonValue.Create(value))],
                Default = otherwise
            });

    private static SegmentParameter Number(
        string name, string description, double least, double most, double? otherwise) =>
        new(name, description,
            Range(JsonSchemaType.Number, least, most, otherwise is { } value ? JsonValue.Create(value) : null));

    private static SegmentParameter Whole(string name, string description, int least, int most, int? otherwise) =>
        new(name, description,
        Range(JsonSchemaType.Integer, least, most, otherwise is { } value ? JsonValue.Create(value) : null));

    private static OpenApiSchema Range(JsonSchemaType type, double least, double most, JsonNode? otherwise) => new()
    {
        Type = type,
        Minimum = least.ToString(System.Globalization.CultureInfo.InvariantCulture),
        Maximum = most.ToString(System.Globalization.CultureInfo.InvariantCulture),
        Default = otherwise,
    };
}
