using System.Globalization;
using System.Text.Json;
using Atrous.Cli.Output;
using Atrous.Evaluation;
using Spectre.Console;

namespace Atrous.Cli.Evaluating;

/// <summary>The measures of a finished evaluation, on standard output.</summary>
internal sealed class EvalReport(
    Segmenter segmenter, SegmenterOptions options, ConfusionMatrix matrix, int pictures, int ignore)
{
    private static readonly (string Key, string Title, Func<ConfusionMatrix, double> Value)[] Measures =
    [
        ("meanIou", "mean IoU", matrix => matrix.MeanIou),
        ("pixelAccuracy", "pixel accuracy", matrix => matrix.PixelAccuracy),
        ("meanAccuracy", "mean accuracy", matrix => matrix.MeanAccuracy),
        ("frequencyWeightedIou", "frequency-weighted IoU", matrix => matrix.FrequencyWeightedIou),
    ];

    /// <summary>What the options say of the data.</summary>
    public required DatasetChoice Data { get; init; }

    /// <summary>What was left out, and what was not whole.</summary>
    public required IReadOnlyList<string> Notes { get; init; }

    private IEnumerable<int> Labels => Enumerable.Range(0, matrix.Classes);

    /// <summary>A row per class, then a line per measure; "-" where a class does not occur.</summary>
    public void WriteTable()
    {
        IAnsiConsole console = Terminal.Rich(Console.Out, Console.IsOutputRedirected);
        var table = new Table { Border = Console.IsOutputRedirected ? TableBorder.None : TableBorder.Rounded };
        table.AddColumns(
            new TableColumn("class").RightAligned(), new TableColumn("name"), new TableColumn("IoU").RightAligned(),
            new TableColumn("accuracy").RightAligned(), new TableColumn("true pixels").RightAligned());
        foreach (int label in Labels)
        {
            table.AddRow(
                new Text(label.ToString(CultureInfo.InvariantCulture)), new Text(Terminal.OneLine(NameOf(label))),
                new Text(Text(matrix.Iou(label))), new Text(Text(matrix.Accuracy(label))),
                    new Text(Numbers.Grouped(matrix.TruePixels(label))));
        }
        console.Write(table);
        int width = Measures.Max(measure => measure.Title.Length);
        foreach ((_, string title, Func<ConfusionMatrix, double> value) in Measures)
            Console.Out.WriteLine($"{title.PadRight(width)}  {Text(value(matrix))}");
        Console.Out.WriteLine(
            $"{pictures} pictures, {Numbers.Grouped(matrix.Pixels)} pixels scored, {Numbers.Grouped(matrix.Ignored)} " +
            (Data.Rules is null ? $"of label {ignore} ignored" : "ignored"));
    }

    /// <summary>All of it, in full precision; null where a class does not occur.</summary>
    public void WriteJson() => JsonOutput.Write(json =>
    {
        json.WriteStartObject();
        json.WriteModel(segmenter, options);
        if (Data.Dataset is { } dataset)
            json.WriteString("dataset", dataset.Name);
        if (Data.Said is { } said)
            json.WriteString("layout", said);
        json.WriteNames("notes", Notes);
        json.WriteNumber("pictures", pictures);
        json.WriteNumber("ignore", ignore);
        json.WriteNumber("pixels", matrix.Pixels);
        json.WriteNumber("ignoredPixels", matrix.Ignored);
        foreach ((string key, _, Func<ConfusionMatrix, double> value) in Measures)
            Write(json, key, value(matrix));
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
        json.WriteEndObject();
    });

    private static void Write(Utf8JsonWriter json, string name, double measure)
    {
        if (double.IsFinite(measure))
            json.WriteNumber(name, measure);
        else
            json.WriteNull(name);
    }

    private static string Text(double measure) =>
        double.IsFinite(measure) ? measure.ToString("0.0000", CultureInfo.InvariantCulture) : "-";

    private string NameOf(int label) =>
        segmenter.Info.ClassNames.Count > label ? segmenter.Info.ClassNames[label]
        : Data is { HasOwnMap: false, Dataset: { } dataset } && label < dataset.ClassNames.Count
            ? dataset.ClassNames[label]
        : $"class {label}";
}
