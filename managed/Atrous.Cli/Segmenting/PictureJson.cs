using System.Text.Json;
using Atrous.Formats;
using Atrous.Postprocessing;

namespace Atrous.Cli.Segmenting;

/// <summary>A picture as --json and --jsonl tell it, without the braces around it.</summary>
internal static class PictureJson
{
    /// <summary>Where it came from, where its outputs are, its classes, and what it took.</summary>
    public static void Write(Utf8JsonWriter json, SegmentedPicture picture)
    {
        json.WriteString("input", picture.Job.Input);
        if (picture.Job.Mask.Length > 0)
            json.WriteString("mask", picture.Job.Mask);
        if (picture.Job.Overlay is { } overlay)
            json.WriteString("overlay", overlay);
        foreach ((PictureFormat format, string path) in picture.Job.Files)
            json.WriteString(format.Name, path);
        if (picture.IsFromBefore)
            json.WriteBoolean("skipped", true);
        json.WriteNumber("width", picture.Mask.Width);
        json.WriteNumber("height", picture.Mask.Height);
        if (picture.Warning is { } warning)
            json.WriteString("warning", warning);
        if (picture.Mask.NoData is var (label, pixels))
        {
            json.WriteStartObject("noData");
            json.WriteNumber("label", label);
            json.WriteNumber("pixels", pixels);
            json.WriteEndObject();
        }
        WriteClasses(json, picture.Mask, picture.Job);
        if (picture.IsFromBefore)
            return;
        json.WriteStartObject("milliseconds");
        WriteTime(json, "decode", picture.Decode);
        WriteTime(json, "preprocess", picture.Mask.Timings.Preprocess);
        WriteTime(json, "network", picture.Mask.Timings.Network);
        WriteTime(json, "encode", picture.Encode);
        json.WriteEndObject();
    }

    /// <summary>One that could not be segmented.</summary>
    public static void Write(Utf8JsonWriter json, string input, Failure failure)
    {
        json.WriteString("input", input);
        json.WriteString("error", failure.Message);
        json.WriteNumber("exitCode", failure.Code);
    }

    private static void WriteClasses(Utf8JsonWriter json, MaskFacts mask, SegmentJob job)
    {
        json.WriteStartArray("classes");
        foreach (ClassShare share in mask.Shares)
        {
            json.WriteStartObject();
            json.WriteNumber("index", share.Label);
            json.WriteString("name", mask.NameOf(share.Label));
            json.WriteNumber("pixels", share.Pixels);
            json.WriteNumber("share", share.Share);
            if (mask.Areas is { } areas)
                json.WriteNumber("squareMetres", areas[share.Label]);
            if (mask.IsMultiLabel && share.Label > 0 && job.Mask.Length > 0)
                json.WriteString("mask", job.MaskOf(share.Label, mask.NameOf(share.Label)));
            json.WriteEndObject();
        }
        json.WriteEndArray();
    }

    private static void WriteTime(Utf8JsonWriter json, string name, TimeSpan time) =>
        json.WriteNumber(name, Math.Round(time.TotalMilliseconds, 3));
}
