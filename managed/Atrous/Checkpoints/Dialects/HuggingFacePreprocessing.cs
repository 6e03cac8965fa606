using System.Text.Json;
using Atrous.Specs;

namespace Atrous.Checkpoints.Dialects;

/// <summary>
/// The `preprocessor_config.json` of Hugging Face's image processors: resize, rescale, normalise or flip the channels.
/// A centre crop is left out, since a mask covers the whole picture: the network sees all of it at the scale that it
/// would see the crop at. The scores are brought to the picture's size bilinearly, half-pixel, as the library's
/// post_process_semantic_segmentation does.
/// </summary>
internal static class HuggingFacePreprocessing
{
    private const string Flipping = "MobileViT";
    private const string File = "preprocessor_config.json", Size = "size", Resample = "resample";

    /// <summary>Who says how a picture is prepared, as <see cref="Switch.Source"/>.</summary>
    public static string SourceOf(ICheckpoint checkpoint) => checkpoint.Preprocessor is null ? Switch.Assumed : File;

    /// <summary>What the file says.</summary>
    /// <param name="checkpoint">The folder that may have it.</param>
    /// <param name="published">What the published models do, for folders without such a file.</param>
    /// <param name="standard">What the processor's class does where the file has no entry.</param>
    /// <exception cref="ModelException">The file asks for what is not here.</exception>
    public static (PreprocessingSpec Spec, IReadOnlyList<string> Notes) Of(
        ICheckpoint checkpoint, PreprocessingSpec published, PreprocessingSpec standard)
    {
        if (checkpoint.Preprocessor is not { } document)
            return (published, []);
        var facts = new JsonFacts(checkpoint.Path, File, document);
        int channels = standard.Channels;
        if (facts.Flag("do_pad") ?? false)
            throw facts.Wrong("do_pad", "asks for a padding that Atrous does not do");
        // MobileViT's processor flips the channels by itself, and no other does.
        bool usual = (facts.Text("image_processor_type") ?? facts.Text("feature_extractor_type")) is { } type
            ? type.Contains(Flipping, StringComparison.OrdinalIgnoreCase)
            : standard.Order == ChannelOrder.Bgr;
        bool flips = facts.Flag("do_flip_channel_order") ?? usual;
        // A class that flips the channels has no statistics, whatever the file lists.
        bool normalises = facts.Flag("do_normalize") ?? !usual;
        PreprocessingSpec none = Normalisation.None(channels);
        if (normalises && !usual && standard.Order == ChannelOrder.Bgr && facts["image_mean"] is null)
            throw facts.Wrong("image_mean", "has to say what pictures are normalised with");
        float[] std = facts.Reals("image_std", channels) ?? [.. standard.Std];
        if (normalises && std.Any(value => value <= 0))
            throw facts.Wrong("image_std", "is not above 0");
        var spec = new PreprocessingSpec
        {
            Order = flips ? ChannelOrder.Bgr : ChannelOrder.Rgb,
            Scale = Scale(facts, standard),
            Mean = normalises ? facts.Reals("image_mean", channels) ?? standard.Mean : none.Mean,
            Std = normalises ? std : none.Std,
            Resize = facts.Flag("do_resize") ?? true ? ResizeOf(facts, standard) : new ResizePolicy.None(),
            Filter = Filter(facts, standard),
        };
        return (spec, [.. Notes(facts)]);
    }

    private static float Scale(JsonFacts facts, PreprocessingSpec standard)
    {
        if (!(facts.Flag("do_rescale") ?? true))
            return 1;
        double factor = facts.Real("rescale_factor") ?? standard.Scale;
        return factor > 0 ? (float)factor : throw facts.Wrong("rescale_factor", "is not above 0");
    }

    /// <summary>A number is the shorter side, as older files have it.</summary>
    private static ResizePolicy ResizeOf(JsonFacts facts, PreprocessingSpec standard)
    {
        if (facts[Size] is not { } size)
            return standard.Resize;
        if (size.ValueKind == JsonValueKind.Number)
            return new ResizePolicy.ShortSide(Side(facts.Number(Size)));
        // Older files have the height and the width as a list.
        if (size.ValueKind == JsonValueKind.Array)
        {
            return JsonValues.Numbers(size) is [int top, int across]
                ? new ResizePolicy.Stretch(Side(top), Side(across))
                : throw facts.Wrong(Size, "is not a height and a width");
        }
        JsonFacts sides = facts.Inner(Size);
        if (sides.Number("shortest_edge") is { } shortest)
            return new ResizePolicy.ShortSide(Side(shortest), sides.Number("longest_edge"));
        return sides.Number("height") is { } height && sides.Number("width") is { } width
            ? new ResizePolicy.Stretch(Side(height), Side(width))
            : throw facts.Wrong(Size, "is neither a shortest_edge nor a height and a width");

        int Side(int? pixels) => pixels > 0 ? pixels.Value : throw facts.Wrong(Size, "has a side below 1");
    }

    /// <summary>Pillow's numbers.</summary>
    private static ResizeFilter Filter(JsonFacts facts, PreprocessingSpec standard) =>
        (facts.Flag("do_resize") ?? true ? facts.Number(Resample) : null) switch
        {
            null => standard.Filter,
            2 => ResizeFilter.Bilinear,
            3 => ResizeFilter.Bicubic,
            _ => throw facts.Wrong(Resample, "is a filter that Atrous has not; it has 2, bilinear, and 3, bicubic"),
        };

    private static IEnumerable<string> Notes(JsonFacts facts)
    {
        if (facts.Flag("do_center_crop") ?? false)
            yield return "The centre crop of preprocessor_config.json is left out: the mask covers the whole picture.";
        if ((facts.Flag("do_reduce_labels") ?? facts.Flag("reduce_labels")) ?? false)
        {
            yield return "The labels of the training data were reduced by one, and 0 was not trained: class 0 of a " +
                "mask is their label 1.";
        }
    }
}
