using System.Diagnostics;
using System.Text.Json;
using Atrous.Cli.Options;
using Atrous.Cli.Output;

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
            json.WriteNumber("skipped", FromBefore);
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
        Write(picture);
    }

    public override void Skipped(SegmentedPicture picture)
    {
        base.Skipped(picture);
        Write(picture);
    }

    protected override void OnFailed(string input, Failure failure)
    {
        base.OnFailed(input, failure);
        Write(json => PictureJson.Write(json, input, failure));
    }

    private void Write(SegmentedPicture picture) => Write(json => PictureJson.Write(json, picture));

    private void Write(Action<Utf8JsonWriter> result)
    {
        Utf8JsonWriter json = _json!;
        json.WriteStartObject();
        result(json);
        json.WriteEndObject();
        json.Flush();
    }
}
