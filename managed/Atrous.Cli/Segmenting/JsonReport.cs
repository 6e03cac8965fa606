using System.Diagnostics;
using System.Text.Json;
using Atrous.Cli.Formats;
using Atrous.Cli.Options;
using Atrous.Cli.Output;
using Atrous.Postprocessing;

namespace Atrous.Cli.Segmenting;

/// <summary>
/// One JSON document, written as the pictures are done; it is complete even where the run is interrupted.
/// </summary>
/// <param name="quiet">Nothing is said on standard error but what failed.</param>
/// <param name="leftOut">What the inputs' folders hold and is not read.</param>
internal sealed class JsonReport(bool quiet, IReadOnlyList<LeftOut> leftOut) : SegmentationReport
{
    private Utf8JsonWriter? _json;

    public override void Around(
        Segmenter? segmenter, SegmenterOptions options, int pictures, Action work, Interruption interruption)
    {
        long start = Stopwatch.GetTimestamp();
        JsonOutput.Write(json =>
        {
            _json = json;
            json.WriteStartObject();
            if (segmenter is not null)
                json.WriteModel(segmenter, options);
            json.WriteStartArray("results");
            work();
            json.WriteEndArray();
            json.WriteNames("leftOut", leftOut.Select(left => left.Path));
            json.WriteNumber("segmented", Written.Count);
            json.WriteNumber("failed", Failures);
            json.WriteBoolean("interrupted", interruption.ExitCode is not null);
            json.WriteNumber("seconds", Math.Round(Stopwatch.GetElapsedTime(start).TotalSeconds, 3));
            json.WriteEndObject();
        });
        if (!quiet && Written.Count > 0)
            Terminal.Message(WrittenFiles.Where(Written));
    }

    public override void Done(SegmentedPicture picture)
    {
        base.Done(picture);
        Utf8JsonWriter json = _json!;
        json.WriteStartObject();
        json.WriteString("input", picture.Job.Input);
        json.WriteString("mask", picture.Job.Mask);
        if (picture.Job.Overlay is { } overlay)
            json.WriteString("overlay", overlay);
        foreach ((PictureFormat format, string path) in picture.Job.Files)
            json.WriteString(format.Name, path);
        json.WriteNumber("width", picture.Mask.Width);
        json.WriteNumber("height", picture.Mask.Height);
        if (picture.Warning is { } warning)
            json.WriteString("warning", warning);
        WriteClasses(json, picture.Mask, picture.Job);
        json.WriteStartObject("milliseconds");
        WriteTime(json, "decode", picture.Decode);
        WriteTime(json, "preprocess", picture.Mask.Timings.Preprocess);
        WriteTime(json, "network", picture.Mask.Timings.Network);
        WriteTime(json, "encode", picture.Encode);
        json.WriteEndObject();
        json.WriteEndObject();
        json.Flush();
    }

    protected override void OnFailed(string input, Failure failure)
    {
        base.OnFailed(input, failure);
        Utf8JsonWriter json = _json!;
        json.WriteStartObject();
        json.WriteString("input", input);
        json.WriteString("error", failure.Message);
        json.WriteNumber("exitCode", failure.Code);
        json.WriteEndObject();
        json.Flush();
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
            if (mask.IsMultiLabel && share.Label > 0)
                json.WriteString("mask", job.MaskOf(share.Label, mask.NameOf(share.Label)));
            json.WriteEndObject();
        }
        json.WriteEndArray();
    }

    private static void WriteTime(Utf8JsonWriter json, string name, TimeSpan time) =>
        json.WriteNumber(name, Math.Round(time.TotalMilliseconds, 3));
}
