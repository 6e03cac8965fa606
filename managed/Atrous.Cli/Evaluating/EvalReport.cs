using System.Globalization;
using System.Text.Json;
using Atrous.Cli.Output;
using Atrous.Evaluation;
using Spectre.Console;

namespace Atrous.Cli.Evaluating;

/// <summary>The measures of a finished evaluation, on standard output.</summary>
internal sealed class EvalReport(ConfusionMatrix matrix, int pictures, int? ignore)
{
    /// <summary>The most pictures that are named for their differences; --json has all.</summary>
    private const int Shown = 10;

    private static readonly (string Key, string Title, Func<ConfusionMatrix, double> Value)[] Measures =
    [
        ("meanIou", "mean IoU", matrix => matrix.MeanIou),
        ("pixelAccuracy", "pixel accuracy", matrix => matrix.PixelAccuracy),
        ("meanAccuracy", "mean accuracy", matrix => matrix.MeanAccuracy),
        ("frequencyWeightedIou", "frequency-weighted IoU", matrix => matrix.FrequencyWeightedIou),
    ];

    /// <summary>A class as the model, or else the data set, calls it.</summary>
    public required Func<int, string> NameOf { get; init; }

    /// <summary>The model and how it was loaded; null where lines of several runs are added up.</summary>
    public (Segmenter Segmenter, SegmenterOptions Options)? Model { get; init; }

    /// <summary>What the options say of the data; null where lines of several runs are added up.</summary>
    public DatasetChoice? Data { get; init; }

    /// <summary>What was left out, and what was not whole.</summary>
    public IReadOnlyList<string> Notes { get; init; } = [];

    /// <summary>How well boundaries are met, where that was asked for.</summary>
    public BoundaryScore? Boundaries { get; init; }

    /// <summary>The model that this one is compared with, where one was given.</summary>
    public EvalRival? Rival { get; init; }

    private IEnumerable<int> Labels => Enumerable.Range(0, matrix.Classes);

    /// <summary>A row per class, then a line per measure; "-" where a class does not occur.</summary>
    public void WriteTable()
    {
        IAnsiConsole console = Terminal.Rich(Console.Out, Console.IsOutputRedirected);
        var table = new Table { Border = Console.IsOutputRedirected ? TableBorder.None : TableBorder.Rounded };
        table.AddColumns(
            new TableColumn("class").RightAligned(), new TableColumn("name"), new TableColumn("IoU").RightAligned(),
            new TableColumn("accuracy").RightAligned(), new TableColumn("true pixels").RightAligned());
        (string Title, Func<int, string> Value)[] more = [.. More()];
        table.AddColumns([.. more.Select(column => new TableColumn(column.Title).RightAligned())]);
        foreach (int label in Labels)
        {
            table.AddRow(
            [
                new Text(label.ToString(CultureInfo.InvariantCulture)), new Text(Terminal.OneLine(NameOf(label))),
                new Text(Text(matrix.Iou(label))), new Text(Text(matrix.Accuracy(label))),
                new Text(Numbers.Grouped(matrix.TruePixels(label))),
                .. more.Select(column => new Text(column.Value(label))),
            ]);
        }
        console.Write(table);
        int width = Measures.Max(measure => measure.Title.Length);
        foreach ((_, string title, Func<ConfusionMatrix, double> value) in Measures)
        {
            Console.Out.WriteLine($"{title.PadRight(width)}  {Text(value(matrix))}" +
                (Rival is null ? "" : $"  against {Text(value(Rival.Matrix))}"));
        }
        if (Boundaries is not null)
        {
            Console.Out.WriteLine($"{"mean boundary IoU".PadRight(width)}  {Text(Boundaries.MeanIou)}");
            Console.Out.WriteLine($"{"mean boundary F1".PadRight(width)}  {Text(Boundaries.MeanF1)}");
        }
        string left = Data is not null && ignore is null ? "255 as the foreground"
            : Data is { Rules: null } ? $"{Numbers.Grouped(matrix.Ignored)} of label {ignore} ignored"
            : $"{Numbers.Grouped(matrix.Ignored)} ignored";
        Console.Out.WriteLine($"{pictures} pictures, {Numbers.Grouped(matrix.Pixels)} pixels scored, {left}");
        if (Rival is not null)
            WriteDifferences(Rival);
    }

    /// <summary>Columns that are there where they were asked for.</summary>
    private IEnumerable<(string Title, Func<int, string> Value)> More()
    {
        if (Boundaries is { } boundaries)
        {
            yield return ("boundary IoU", label => Text(boundaries.Iou(label)));
            yield return ("boundary F1", label => Text(boundaries.F1(label)));
        }
        if (Rival is { Matrix: var other })
        {
            yield return ("against", label => Text(other.Iou(label)));
            yield return ("difference", label => Signed(matrix.Iou(label) - other.Iou(label)));
        }
    }

    private void WriteDifferences(EvalRival rival)
    {
        Console.Out.WriteLine($"the models agree on {Numbers.Percent(rival.Agreement)} of the pixels; where least:");
        foreach (DifferentPicture picture in rival.Pictures.Where(picture => picture.Different > 0).Take(Shown))
        {
            (int first, int second) = picture.Most!.Value;
            string most = $"{picture.Picture}, mostly {NameOf(first)} and {NameOf(second)}";
            Console.Out.WriteLine($"  {Numbers.Percent(1 - picture.Share)}  {Terminal.OneLine(most)}");
        }
    }

    /// <summary>All of it, in full precision; null where a class does not occur.</summary>
    public void WriteJson() => JsonOutput.Write(json =>
    {
        json.WriteStartObject();
        if (Model is var (segmenter, options))
            json.WriteModel(segmenter, options);
        if (Data?.Dataset is { } dataset)
            json.WriteString("dataset", dataset.Name);
        if (Data?.Said is { } said)
            json.WriteString("layout", said);
        json.WriteNames("notes", Notes);
        json.WriteNumber("pictures", pictures);
        if (ignore is { } left)
            json.WriteNumber("ignore", left);
        else if (Data is not null)
            json.WriteNull("ignore");
        json.WriteNumber("pixels", matrix.Pixels);
        json.WriteNumber("ignoredPixels", matrix.Ignored);
        foreach ((string key, _, Func<ConfusionMatrix, double> value) in Measures)
            Write(json, key, value(matrix));
        if (Boundaries is not null)
        {
            Write(json, "meanBoundaryIou", Boundaries.MeanIou);
            Write(json, "meanBoundaryF1", Boundaries.MeanF1);
        }
        json.WriteStartArray("classes");
        foreach (int label in Labels)
        {
            json.WriteStartObject();
            json.WriteNumber("index", label);
            json.WriteString("name", NameOf(label));
            Write(json, "iou", matrix.Iou(label));
            Write(json, "accuracy", matrix.Accuracy(label));
            json.WriteNumber("truePixels", matrix.TruePixels(label));
            json.WriteNumber("predictedPixels", matrix.PredictedPixels(label));
            if (Boundaries is not null)
            {
                Write(json, "boundaryIou", Boundaries.Iou(label));
                Write(json, "boundaryF1", Boundaries.F1(label));
            }
            json.WriteEndObject();
        }
        json.WriteEndArray();
        json.WriteStartArray("confusion");
        foreach (int truth in Labels)
        {
            json.WriteStartArray();
            foreach (int label in Labels)
                json.WriteNumberValue(matrix[truth, label]);
            json.WriteEndArray();
        }
        json.WriteEndArray();
        if (Rival is not null)
            WriteRival(json, Rival);
        json.WriteEndObject();
    });

    private void WriteRival(Utf8JsonWriter json, EvalRival rival)
    {
        json.WriteStartObject("against");
        json.WriteModel(rival.Segmenter, Model!.Value.Options);
        foreach ((string key, _, Func<ConfusionMatrix, double> value) in Measures)
            Write(json, key, value(rival.Matrix));
        json.WriteStartArray("iou");
        foreach (int label in Labels)
            WriteValue(json, rival.Matrix.Iou(label));
        json.WriteEndArray();
        json.WriteNumber("agreement", rival.Agreement);
        json.WriteStartArray("pictures");
        foreach (DifferentPicture picture in rival.Pictures)
        {
            json.WriteStartObject();
            json.WriteString("picture", picture.Picture);
            json.WriteNumber("pixels", picture.Pixels);
            json.WriteNumber("different", picture.Different);
            if (picture.Most is var (first, second))
            {
                json.WriteStartArray("most");
                json.WriteNumberValue(first);
                json.WriteNumberValue(second);
                json.WriteEndArray();
            }
            json.WriteEndObject();
        }
        json.WriteEndArray();
        json.WriteEndObject();
    }

    private static void Write(Utf8JsonWriter json, string name, double measure)
    {
        json.WritePropertyName(name);
        WriteValue(json, measure);
    }

    private static void WriteValue(Utf8JsonWriter json, double measure)
    {
        if (double.IsFinite(measure))
            json.WriteNumberValue(measure);
        else
            json.WriteNullValue();
    }

    private static string Signed(double difference) =>
        double.IsFinite(difference) ? difference.ToString("+0.0000;-0.0000;0.0000", CultureInfo.InvariantCulture) : "-";

    private static string Text(double measure) =>
        double.IsFinite(measure) ? measure.ToString("0.0000", CultureInfo.InvariantCulture) : "-";
}
