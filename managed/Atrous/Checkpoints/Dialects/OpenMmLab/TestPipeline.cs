using System.Globalization;
using System.Text.Json;
using System.Text.RegularExpressions;
using Atrous.Specs;

namespace Atrous.Checkpoints.Dialects.OpenMmLab;

/// <summary>
/// What mmsegmentation's inference does with a picture, from a configuration: `inference_segmentor` up to version 0.30
/// takes data.test.pipeline, `inference_model` from version 1 on test_pipeline and the model's data_preprocessor.
/// </summary>
internal sealed partial class TestPipeline
{
    private const string None = "none", Stretch = "stretch=";
    private const int LargestMultiple = 1024;

    /// <summary>What neither resizes nor computes pixels.</summary>
    private static readonly string[] Silent =
    [
        "LoadImageFromFile", "LoadImageFromNDArray", "LoadImage", "LoadAnnotations", "RandomFlip", "ImageToTensor",
        "DefaultFormatBundle", "Collect", "PackSegInputs", "PackInputs", "ToTensor",
    ];

    private readonly CheckpointMeta _meta;
    private readonly ConfigSection _root;
    private ConfigSection? _resize, _normalize;

    public TestPipeline(CheckpointMeta meta)
    {
        (_meta, _root) = (meta, meta.Root);
        Scale = None;
        IReadOnlyList<ConfigSection> transforms = Transforms();
        if (transforms.Count == 0)
            return;
        Scale = new Standard<string>(None, _root.Source);
        foreach (ConfigSection transform in transforms)
            Follow(transform, augmentation: null);
    }

    /// <summary>
    /// Sides of what the network sees are multiples of this, filled up with zeros that are cut off again from the
    /// scores; null where they are not.
    /// </summary>
    public int? SizeMultiple { get; private set; }

    /// <summary>The picture is stretched to <see cref="SizeMultiple"/>, and nothing filled up.</summary>
    public bool Stretches { get; private set; }

    /// <summary>The value of the switch test_scale.</summary>
    public Standard<string> Scale { get; private set; }

    /// <summary>
    /// The configuration says how pixels become numbers, which <see cref="Normalisation"/> found out.
    /// </summary>
    public bool IsNormalisationSaid { get; private set; }

    /// <summary>How pixels become numbers, of the network's channels.</summary>
    public PreprocessingSpec Normalisation(int channels)
    {
        ConfigSection model = _root.Section("model");
        ConfigSection preprocessor =
            model.Has("data_preprocessor") ? model.Section("data_preprocessor") : _root.Section("data_preprocessor");
        CheckPadding(preprocessor);
        ConfigSection norm = preprocessor.Has("mean") ? preprocessor : _normalize ?? _root.Section("img_norm_cfg");
        bool flips = norm == preprocessor
            ? (preprocessor.Flag("bgr_to_rgb") ?? false) || (preprocessor.Flag("rgb_to_bgr") ?? false)
            : norm.Flag("to_rgb") ?? true;
        ChannelOrder order = flips ? ChannelOrder.Rgb : ChannelOrder.Bgr;
        if (norm.Reals("mean") is not { } mean || norm.Reals("std") is not { } std)
        {
            IsNormalisationSaid = preprocessor.IsWhole && !preprocessor.Has("mean");
            return IsNormalisationSaid
                ? Dialects.Normalisation.None(channels) with { Scale = 1, Order = order }
                : Dialects.Normalisation.ImageNet(channels);
        }
        if (mean.Length != channels || std.Length != channels || Array.Exists(std, value => value <= 0))
        {
            _meta.Note($"{_root.Source} has a mean and a std that do not suit a network of {channels} channel(s): " +
                "they are not used.");
            return Dialects.Normalisation.ImageNet(channels);
        }
        IsNormalisationSaid = true;
        bool imageNet = mean.SequenceEqual([123.675f, 116.28f, 103.53f])
            && std.SequenceEqual([58.395f, 57.12f, 57.375f]);
        // The same on 0..1.
        return imageNet && flips
            ? PreprocessingSpec.ImageNet
            : new PreprocessingSpec { Order = order, Scale = 1, Mean = mean, Std = std };
    }

    /// <summary>What a value of the switch test_scale means.</summary>
    /// <exception cref="UnavailableException">It means nothing.</exception>
    public static ResizePolicy PolicyOf(string text)
    {
        if (text == None)
            return new ResizePolicy.None();
        bool stretches = text.StartsWith(Stretch, StringComparison.Ordinal);
        Match match = Size().Match(stretches ? text[Stretch.Length..] : text);
        if (match.Success && Side(match, 1) is { } first && Side(match, 2) is { } second)
        {
            return stretches
                ? new ResizePolicy.Stretch(first, second)
                : new ResizePolicy.Within(Math.Max(first, second), Math.Min(first, second));
        }
        throw new UnavailableException(
            $"The switch test_scale takes a size that the picture is fitted into, such as 2048x512, {Stretch}HxW, or " +
            $"{None}; not '{text}'.");
    }

    private static int? Side(Match match, int group) =>
        int.TryParse(match.Groups[group].ValueSpan, NumberStyles.None, CultureInfo.InvariantCulture, out int side)
        && side is > 0 and <= 65536
            ? side
            : null;

    private IReadOnlyList<ConfigSection> Transforms()
    {
        // Version 1 has no "data".
        if (_root.Has("data") && _root.Section("data").Section("test").List("pipeline") is { Count: > 0 } old)
            return old;
        if (_root.List("test_pipeline") is { Count: > 0 } own)
            return own;
        return _root.Has("test_dataloader")
            ? _root.Section("test_dataloader").Section("dataset").List("pipeline")
            : [];
    }

    private void Follow(ConfigSection transform, ConfigSection? augmentation)
    {
        switch (transform.Type)
        {
            case "MultiScaleFlipAug":
                if (transform.Flag("flip") ?? false)
                    NotDone(transform, "flip", "mirrors the picture as well, and it is not mirrored here");
                foreach (ConfigSection inner in transform.List("transforms"))
                    Follow(inner, transform);
                break;
            case "Resize" or "ResizeShortestEdge" when _resize is null:
                _resize = transform;
                string? scale = transform.Type == "Resize" ? Resize(transform, augmentation) : ShortestEdge(transform);
                Scale = scale is null ? None : new Standard<string>(scale, _root.Source);
                break;
            case "Normalize":
                _normalize = transform;
                break;
            case "ResizeToMultiple" when IsMultiple(transform) && SizeMultiple is null:
                SizeMultiple = transform.Number("size_divisor") ?? 32;
                Stretches = true;
                break;
            // Version 1 does not cut it off again, and others fill up with colours.
            case "Pad" when augmentation is not null && _normalize is not null && Multiple(transform) is { } multiple:
                SizeMultiple = multiple;
                break;
            case { } silent when Silent.Contains(silent):
                break;
            case { } other:
                NotDone(transform, "type", $"is {other}, which is not done here");
                break;
            default:
                NotDone(transform, "type", "is not known");
                break;
        }
    }

    /// <summary>Null where it is something else, which was noted.</summary>
    private string? Resize(ConfigSection resize, ConfigSection? augmentation)
    {
        foreach (string key in new[] { "min_size", "scale_factor", "ratio_range", "size_divisor" })
        {
            if (resize.Has(key))
                return NotDone(resize, key, "asks for a resize that is not done here");
        }
        if (resize.Text("interpolation") is { } filter && filter != "bilinear")
            return NotDone(resize, "interpolation", $"is {filter}, and only bilinear is done here");
        // The test's own scale goes before the transform's; version 1 has the latter alone, and calls it "scale".
        bool isOld = augmentation is not null || resize.Has("img_scale");
        (ConfigSection place, string name) = augmentation is not null && augmentation.Has("img_scale")
            ? (augmentation, "img_scale")
            : (resize, isOld ? "img_scale" : "scale");
        if (!place.Has(name))
        {
            // Ratios of the picture's own size.
            return augmentation is not null && Ratio(augmentation) == 1
                ? None
                : NotDone(resize, name, "is not said, and no resize is done");
        }
        if (PairOf(place, name) is not { } pair)
            return NotDone(place, name, "is not one size, and no resize is done");
        if (augmentation is not null && Ratio(augmentation) != 1)
            NotDone(augmentation, "img_ratios", "tests at several scales, and one is scored here");
        return resize.Flag("keep_ratio") ?? isOld
            ? string.Create(CultureInfo.InvariantCulture, $"{pair.Width}x{pair.Height}")
            : string.Create(CultureInfo.InvariantCulture, $"{Stretch}{pair.Height}x{pair.Width}");
    }

    private string? ShortestEdge(ConfigSection resize) =>
        resize.Number("scale") is { } edge && resize.Number("max_size") is { } most
            ? string.Create(CultureInfo.InvariantCulture, $"{Math.Max(most, edge)}x{edge}")
            : NotDone(resize, "scale", "is not one size, and no resize is done");

    /// <summary>Width and height, from a pair, from a list of one pair, or from one number.</summary>
    private static (int Width, int Height)? PairOf(ConfigSection place, string name)
    {
        JsonElement entry = place[name]!.Value;
        if (entry.ValueKind == JsonValueKind.Array && entry.GetArrayLength() == 1)
            entry = entry[0];
        int[] sides = entry.ValueKind == JsonValueKind.Array
            ? [.. entry.EnumerateArray().Select(Side)]
            : [Side(entry), Side(entry)];
        return sides is [> 0, > 0] ? (sides[0], sides[1]) : null;

        static int Side(JsonElement item) =>
            item.ValueKind == JsonValueKind.Number && item.TryGetInt32(out int side) ? side : 0;
    }

    /// <summary>1 where nothing is said; 0 for several.</summary>
    private static double Ratio(ConfigSection augmentation) =>
        !augmentation.Has("img_ratios") ? 1
        : augmentation.Reals("img_ratios") is [var ratio] ? ratio
        : 0;

    private void CheckPadding(ConfigSection preprocessor)
    {
        ConfigSection test = preprocessor.Section("test_cfg");
        if ((preprocessor.Number("pad_val") ?? 0) == 0 && Multiple(test) is { } multiple)
        {
            SizeMultiple = multiple;
            return;
        }
        foreach (string key in new[] { "size", "size_divisor" })
        {
            if (test.Has(key))
                NotDone(test, key, "asks for pixels around the picture, which are not put there");
        }
    }

    /// <summary>What sides are multiples of; null where another filling is asked for, or none.</summary>
    private static int? Multiple(ConfigSection section) =>
        !section.Has("size") && (section.Number("pad_val") ?? 0) == 0
        && section.Number("size_divisor") is > 0 and <= LargestMultiple and var divisor
            ? divisor
            : null;

    /// <summary>What mmcv's imresize_to_multiple does with one divisor.</summary>
    private static bool IsMultiple(ConfigSection resize) =>
        (!resize.Has("size_divisor") || resize.Number("size_divisor") is > 0 and <= LargestMultiple)
        && (resize.Text("interpolation") ?? "bilinear") == "bilinear";

    private string? NotDone(ConfigSection section, string key, string what)
    {
        _meta.Note(section.About(key, what + "."));
        return null;
    }

    [GeneratedRegex("^([1-9][0-9]*)x([1-9][0-9]*)$")]
    private static partial Regex Size();
}
