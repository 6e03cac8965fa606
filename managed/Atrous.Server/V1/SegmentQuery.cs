using System.Globalization;
using Atrous.Formats;
using Atrous.Hosting;
using Atrous.Imaging;
using Atrous.Postprocessing;
using Atrous.Scoring;
using Atrous.Shapes;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Primitives;

namespace Atrous.Server.V1;

/// <summary>What a mask is sent as.</summary>
internal enum SegmentFormat
{
    /// <summary>A PNG whose pixel is the class.</summary>
    Png,

    /// <summary>The picture with the classes' colours over it.</summary>
    Overlay,

    /// <summary>How much of the picture each class covers.</summary>
    Json,

    /// <summary>The same with COCO's run-lengths of each class.</summary>
    Rle,

    /// <summary>The same with the regions of each class as polygons.</summary>
    Polygons,

    /// <summary>A file of one of the formats that the tool writes too.</summary>
    File,
}

/// <summary>The query of /v1/segment, checked.</summary>
internal sealed record SegmentQuery
{
    /// <summary>What drawing a picture takes beside the photo at most, such as both side by side.</summary>
    private const int DrawnBytesPerPixel = 12;

    /// <summary>Palettes by the name that requests use; null for the one that fits the model's classes.</summary>
    public static readonly IReadOnlyDictionary<string, Palette?> Palettes = new Dictionary<string, Palette?>
    {
        ["default"] = null,
        ["cityscapes"] = Palette.Cityscapes,
        ["voc"] = Palette.Voc,
    };

    /// <summary>Encodings of overlays by the name that requests use.</summary>
    public static readonly IReadOnlyDictionary<string, ImageFormat> Encodings = new Dictionary<string, ImageFormat>
    {
        ["png"] = ImageFormat.Png,
        ["jpeg"] = ImageFormat.Jpeg,
    };

    /// <summary>Formats by the name that requests use.</summary>
    public static readonly IReadOnlyDictionary<string, SegmentFormat> Formats =
        Enum.GetValues<SegmentFormat>().Where(format => format != SegmentFormat.File)
            .Select(format => (Name: format.ToString().ToLowerInvariant(), Format: format))
            .Concat(FileFormat.All.Select(format => (format.Name, SegmentFormat.File)))
            .ToDictionary(row => row.Name, row => row.Item2);

    /// <summary>Forms of run-lengths by the name that requests use; true is pycocotools' text.</summary>
    public static readonly IReadOnlyDictionary<string, bool> Counts = new Dictionary<string, bool>
    {
        ["compressed"] = true,
        ["uncompressed"] = false,
    };

    /// <summary>CRFs by the name that requests use; null for none.</summary>
    public static readonly IReadOnlyDictionary<string, DenseCrfParameters?> Crfs =
        new Dictionary<string, DenseCrfParameters?>(DenseCrfParameters.All
            .Select(known => KeyValuePair.Create<string, DenseCrfParameters?>(known.Name, known))
            .Prepend(KeyValuePair.Create<string, DenseCrfParameters?>("none", null)));

    /// <summary>Yes and no by the name that requests use.</summary>
    public static readonly IReadOnlyDictionary<string, bool> Truths = new Dictionary<string, bool>
    {
        ["true"] = true,
        ["false"] = false,
    };

    /// <summary>How far, in pixels, the corners of polygons may be moved at most.</summary>
    public const double MaxSimplify = 100;

    /// <summary>What says how a picture is scored.</summary>
    public static readonly IReadOnlyList<string> ScoringNames = ["tile", "overlap", "scales", "flip", "crf"];

    /// <summary>Null for the default one.</summary>
    public string? Model { get; private init; }

    public SegmentFormat Format { get; private init; } = SegmentFormat.Png;

    /// <summary>Of a file.</summary>
    public FileFormat? File { get; private init; }

    /// <summary>What files of annotations call the picture.</summary>
    public string Name { get; private init; } = "picture";

    /// <summary>Names or numbers of the classes that are wanted; null for all.</summary>
    public IReadOnlyList<string>? Only { get; private init; }

    /// <summary>Null for the one that fits the model's classes.</summary>
    public Palette? Palette { get; private init; }

    /// <summary>Of an overlay's colours, 0 to 1.</summary>
    public double Opacity { get; private init; } = 0.6;

    /// <summary>Of an overlay.</summary>
    public ImageFormat Encoding { get; private init; } = ImageFormat.Png;

    /// <summary>Of a JPEG, 1 to 100.</summary>
    public int Quality { get; private init; } = 90;

    /// <summary>Run-lengths as text.</summary>
    public bool CompressedCounts { get; private init; } = true;

    /// <summary>Of polygons: which regions, and how exactly.</summary>
    public RegionOptions Regions { get; private init; } = new();

    /// <summary>How the request waits.</summary>
    public SegmentRequest Request { get; private init; } = SegmentRequest.Default;

    /// <summary>Reads a query.</summary>
    /// <exception cref="BadHttpRequestException">
    /// A parameter is unknown, comes twice, or has no sound value.
    /// </exception>
    public static SegmentQuery Parse(IQueryCollection query)
    {
        Refuse(query, SegmentParameters.All.Select(parameter => parameter.Name));
        FileFormat? file = FileFormat.All.FirstOrDefault(format => format.Name == Text(query, "format"));
        return new SegmentQuery
        {
            File = file,
            Name = Text(query, "name") is { } name ? Printable(name) : "picture",
            Only = Text(query, "only")?.Split(',', StringSplitOptions.TrimEntries),
            Model = Text(query, "model"),
            Format = Choice(query, "format", Formats, SegmentFormat.Png),
            Palette = ParsePalette(query),
            Opacity = Number(query, "opacity", 0, 1) ?? 0.6,
            Encoding = Choice(query, "encoding", Encodings, ImageFormat.Png),
            Quality = Whole(query, "quality", 1, 100) ?? 90,
            CompressedCounts = Choice(query, "counts", Counts, true),
            Regions = new RegionOptions
            {
                Simplify = Number(query, "simplify", 0, MaxSimplify) ?? 0,
                MinArea = Whole(query, "min-area", 1, int.MaxValue) ?? 1,
            },
            Request = new SegmentRequest
            {
                Confidence = file?.NeedsConfidence ?? false,
                AnswerBytesPerPixel = file?.IsPicture == true ? DrawnBytesPerPixel : 0,
                Timeout = Number(query, "timeout", 0.001, 86400) is { } seconds ? TimeSpan.FromSeconds(seconds) : null,
                Priority = Whole(query, "priority", 1, 100) ?? 0,
                Scoring = ParseScoring(query),
            },
        };
    }

    /// <summary>Reads the query of /v1/models.</summary>
    /// <exception cref="BadHttpRequestException">
    /// A parameter is unknown, comes twice, or has no sound value.
    /// </exception>
    public static Palette? ParseModels(IQueryCollection query)
    {
        Refuse(query, ["palette"]);
        return ParsePalette(query);
    }

    private static Palette? ParsePalette(IQueryCollection query) => Choice(query, "palette", Palettes, null);

    /// <summary>Null where the query has none of it: then the model's own is used.</summary>
    /// <exception cref="BadHttpRequestException">A parameter has no sound value.</exception>
    public static ScoringRequest? ParseScoring(IQueryCollection query)
    {
        if (ScoringNames.FirstOrDefault(name => query.ContainsKey(name) && Text(query, name) is null) is { } empty)
            throw Bad($"The parameter {empty} has no value.");
        int? tile = Whole(query, "tile", SlidingWindow.LeastSize, SlidingWindow.MostSize);
        double? overlap = Number(query, "overlap", 0, SlidingWindow.MostOverlap);
        if (overlap is not null && tile is null)
            throw Bad("The parameter overlap is that of tile; give both.");
        double[] scales = [.. Text(query, "scales")?.Split(',').Select(Scale) ?? []];
        if (scales.Length > TestTimeAugmentation.MostScales)
            throw Bad($"There are {scales.Length} scales; at most {TestTimeAugmentation.MostScales} are taken.");
        bool flip = Choice(query, "flip", Truths, false);
        DenseCrfParameters? crf = Choice(query, "crf", Crfs, null);
        return !ScoringNames.Any(query.ContainsKey) ? null : new ScoringRequest
        {
            Window = tile is { } size ? new SlidingWindow(size, overlap ?? SlidingWindow.UsualOverlap) : null,
            Augmentation = flip || scales.Length > 0
                ? new TestTimeAugmentation(scales.Length > 0 ? scales : [1], flip)
                : null,
            Crf = crf,
        };
    }

    private static double Scale(string text) =>
        double.TryParse(text, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out double scale)
            && scale is >= TestTimeAugmentation.LeastScale and <= TestTimeAugmentation.MostScale
            ? scale
            : throw Bad(string.Create(
                CultureInfo.InvariantCulture,
                $"The scale '{Printable(text)}' is not a number from {TestTimeAugmentation.LeastScale} to "
                + $"{TestTimeAugmentation.MostScale}; scales has numbers with commas between, such as 0.75,1,1.25."));

    /// <summary>A misspelt parameter would otherwise be a default that nobody wanted.</summary>
    private static void Refuse(IQueryCollection query, IEnumerable<string> known)
    {
        if (query.Keys.FirstOrDefault(key => !known.Contains(key)) is { } unknown)
            throw Bad($"There is no parameter '{Printable(unknown)}'; there are {string.Join(", ", known)}.");
    }

    private static string? Text(IQueryCollection query, string name)
    {
        StringValues values = query[name];
        if (values.Count > 1)
            throw Bad($"The parameter {name} comes {values.Count} times; give it once.");
        return string.IsNullOrEmpty(values) ? null : values.ToString();
    }

    private static T Choice<T>(IQueryCollection query, string name, IReadOnlyDictionary<string, T> choices, T otherwise)
    {
        if (Text(query, name) is not { } text)
            return otherwise;
        return choices.TryGetValue(text, out T? choice)
            ? choice
            : throw Bad($"The {name} '{Printable(text)}' is unknown; use {string.Join(", ", choices.Keys)}.");
    }

    private static double? Number(IQueryCollection query, string name, double least, double most)
    {
        if (Text(query, name) is not { } text)
            return null;
        return double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out double value)
            && value >= least && value <= most
            ? value
            : throw Bad(
                string.Create(CultureInfo.InvariantCulture,
                $"The {name} '{Printable(text)}' is not a number from {least} to {most}."));
    }

    private static int? Whole(IQueryCollection query, string name, int least, int most)
    {
        if (Text(query, name) is not { } text)
            return null;
        return int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out int value) && value >= least
            && value <= most
            ? value
            : throw Bad($"The {name} '{Printable(text)}' is not a whole number from {least} to {most}.");
    }

    /// <summary>Which regions of a model's mask, and how exactly.</summary>
    /// <exception cref="BadHttpRequestException">A class is none of the model's.</exception>
    public RegionOptions RegionsOf(ModelInfo model) => Only is null ? Regions : Regions with
    {
        Labels = Only.SelectMany(name => WantedClasses.Of(name, model) is { Count: > 0 } labels
            ? labels
            : throw Bad($"Of the parameter only, {WantedClasses.Unknown(Printable(name), model)}")).ToHashSet(),
    };

    private static string Printable(string text) =>
        new([.. text.Take(64).Select(c => char.IsControl(c) || char.IsSurrogate(c) ? '?' : c)]);

    private static BadHttpRequestException Bad(string message) => new(message);
}
