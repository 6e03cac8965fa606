using System.Globalization;
using System.Text.Json;
using Atrous.Cli.Output;
using Atrous.Quantizing;
using Spectre.Console;

namespace Atrous.Cli.Quantizing;

/// <summary>What a quantisation cost, on standard output.</summary>
internal static class QuantizeReport
{
    /// <summary>The most layers that are named for their cost; --json has all.</summary>
    private const int Shown = 10;

    public static void WriteTable(
        string path, QuantizationReport report, (double Before, double After)? meanIou)
    {
        IAnsiConsole console = Terminal.Rich(Console.Out, Console.IsOutputRedirected);
        var table = new Table { Border = Console.IsOutputRedirected ? TableBorder.None : TableBorder.Rounded };
        table.AddColumns(
            new TableColumn("layer"), new TableColumn("cost").RightAligned(), new TableColumn("computed in"));
        // What stayed float32 first, then what is dearest.
        foreach (QuantizedLayer layer in report.Layers.OrderBy(layer => layer.IsQuantized)
            .ThenByDescending(layer => layer.Cost).Take(Math.Max(Shown, report.Layers.Count(l => !l.IsQuantized))))
        {
            table.AddRow(
                new Text(Terminal.OneLine(layer.Name)), new Text(Text(layer.Cost)),
                new Text(layer.IsQuantized ? "int8" : "fp32"));
        }
        console.Write(table);
        Console.Out.WriteLine(DescribedQuantization.Line(report.Facts));
        Console.Out.WriteLine("ranges by " + string.Join(
            ", ", report.Rules.OrderByDescending(rule => rule.Value).Select(rule => $"{rule.Key} ({rule.Value})")));
        Console.Out.WriteLine(
            $"scores differ by {Text(report.ScoreError)} of their standard deviation (root mean square)");
        if (meanIou is { } scores)
            Console.Out.WriteLine($"mean IoU {Text(scores.Before)} before, {Text(scores.After)} after");
        Console.Out.WriteLine($"{Terminal.OneLine(path)}: {Numbers.Grouped(report.Bytes)} bytes");
    }

    public static void WriteJson(
        string path, QuantizationReport report, (double Before, double After)? meanIou) => JsonOutput.Write(json =>
    {
        json.WriteStartObject();
        json.WriteString("output", path);
        json.WriteNumber("bytes", report.Bytes);
        json.WriteFacts(report.Facts);
        json.WriteNumber("scoreError", report.ScoreError);
        if (meanIou is { } scores)
        {
            json.WriteNumber("meanIouBefore", scores.Before);
            json.WriteNumber("meanIouAfter", scores.After);
        }
        json.WriteStartObject("ranges");
        foreach ((string rule, int count) in report.Rules)
            json.WriteNumber(rule, count);
        json.WriteEndObject();
        json.WriteStartArray("layers");
        foreach (QuantizedLayer layer in report.Layers)
        {
            json.WriteStartObject();
            json.WriteString("name", layer.Name);
            json.WriteNumber("cost", layer.Cost);
            json.WriteBoolean("quantized", layer.IsQuantized);
            json.WriteEndObject();
        }
        json.WriteEndArray();
        json.WriteEndObject();
    });

    private static string Text(double value) => value.ToString("g3", CultureInfo.InvariantCulture);
}
