using System.Globalization;
using System.Text.Json;
using Atrous.Backends;
using Atrous.Cli.Output;
using Spectre.Console;

namespace Atrous.Cli.Benchmarking;

/// <summary>The result of a measurement on standard output.</summary>
internal static class BenchReport
{
    private static readonly Dictionary<string, string> Meanings = new()
    {
        ["decode"] = "file to pixels",
        ["upload"] = "pixels to the device",
        ["preprocess"] = "resized, normalised",
        ["network"] = "with upsampling and argmax",
        ["download"] = "labels from the device",
        ["encode"] = "labels to PNG",
    };

    /// <summary>A row per stage, a line per other measure.</summary>
    public static void WriteText(BenchResult result)
    {
        TextWriter output = Console.Out;
        output.WriteLine(Terminal.OneLine(
            $"{result.Model.Architecture} with {result.Model.Backbone} on {result.Device}, " +
            $"{DescribedModel.Name(result.Options, result.Model)}{DescribedModel.Assumptions(result.Model)}; " +
            $"{result.Picture} {result.Size.Height}x{result.Size.Width}, batch {result.Options.MaxBatch}; " +
            $"{result.Latency.Count} runs after {result.WarmUp} to warm " +
            $"up{(result.IsInterrupted ? ", interrupted" : "")}"));
        if (result.Latency.Count > 0)
            WriteTimes(result);
        if (result.Layers.Count > 0)
            WriteLayers(result.Layers);
        (TimeSpan process, TimeSpan load, TimeSpan firstMask) = result.StartUp;
        output.WriteLine(
            $"start-up     {Text((process + load + firstMask).TotalMilliseconds)} ms from the process's start to the " +
            $"first mask: " +
            $"{Text(load.TotalMilliseconds)} to load, {Text(firstMask.TotalMilliseconds)} for the mask");
        string device = result.PeakDeviceBytes is { } bytes ? $", {Numbers.Megabytes(bytes)} on the device" : "";
        output.WriteLine($"peak memory  {Numbers.Megabytes(result.PeakResidentBytes)} resident{device}");
    }

    /// <summary>All of it, in milliseconds and bytes.</summary>
    public static void WriteJson(BenchResult result) => JsonOutput.Write(json =>
    {
        json.WriteStartObject();
        json.WriteModel(result.Model, result.Device, result.Options);
        json.WriteString("picture", result.Picture);
        json.WriteNumber("height", result.Size.Height);
        json.WriteNumber("width", result.Size.Width);
        json.WriteNumber("batch", result.Options.MaxBatch);
        json.WriteNumber("threads", Threads(result.Options));
        json.WriteNumber("warmUp", result.WarmUp);
        json.WriteNumber("runs", result.Latency.Count);
        json.WriteBoolean("interrupted", result.IsInterrupted);
        json.WriteStartObject("milliseconds");
        if (result.Latency.Count > 0)
        {
            WriteDurations(json, "latency", result.Latency);
            foreach ((string name, Durations times) in result.Stages)
                WriteDurations(json, name, times);
        }
        json.WriteEndObject();
        if (result.Latency.Count > 0)
        {
            json.WriteNumber("picturesPerSecond", Rate(result));
            json.WriteNumber("allocatedBytes", result.AllocatedBytes);
        }
        if (result.Layers.Count > 0)
        {
            json.WriteStartArray("layers");
            foreach ((LayerTime layer, Durations times) in result.Layers)
            {
                json.WriteStartObject();
                json.WriteString("name", layer.Name);
                json.WriteString("op", layer.Op);
                json.WriteString("shape", layer.Shape.ToString());
                json.WriteNumber("multiplyAdds", layer.MultiplyAdds);
                json.WriteNumber("median", Rounded(times.Median));
                json.WriteNumber("min", Rounded(times.Fastest));
                json.WriteEndObject();
            }
            json.WriteEndArray();
        }
        json.WriteStartObject("startUp");
        (TimeSpan process, TimeSpan load, TimeSpan firstMask) = result.StartUp;
        json.WriteNumber("process", Rounded(process.TotalMilliseconds));
        json.WriteNumber("load", Rounded(load.TotalMilliseconds));
        json.WriteNumber("firstMask", Rounded(firstMask.TotalMilliseconds));
        json.WriteNumber("total", Rounded((process + load + firstMask).TotalMilliseconds));
        json.WriteEndObject();
        json.WriteNumber("peakResidentBytes", result.PeakResidentBytes);
        if (result.PeakDeviceBytes is { } bytes)
            json.WriteNumber("peakDeviceBytes", bytes);
        json.WriteEndObject();
    });

    private static void WriteLayers(IReadOnlyList<BenchLayer> layers)
    {
        var table = new Table { Border = Console.IsOutputRedirected ? TableBorder.None : TableBorder.Rounded };
        foreach (string column in (string[])["layer", "op", "output"])
            table.AddColumn(new TableColumn(column));
        foreach (string column in (string[])["ms", "share", "GFLOP/s"])
            table.AddColumn(new TableColumn(column).RightAligned());
        double total = layers.Sum(layer => layer.Times.Median);
        foreach ((LayerTime layer, Durations times) in layers)
        {
            double rate = 2e-6 * layer.MultiplyAdds / times.Median;
            table.AddRow(
                Markup.Escape(layer.Name), layer.Op, layer.Shape.ToString(), Text(times.Median), (times.Median / total)
                .ToString("0.0 %", CultureInfo.InvariantCulture),
                layer.MultiplyAdds == 0 ? "" : rate.ToString("0", CultureInfo.InvariantCulture));
        }
        Terminal.Rich(Console.Out, Console.IsOutputRedirected).Write(table);
        Console.Out.WriteLine(
            "             rates count the multiply-adds of the direct algorithm, those on padding too; Winograd's " +
            "can pass the peak");
    }

    private static void WriteTimes(BenchResult result)
    {
        var table = new Table { Border = Console.IsOutputRedirected ? TableBorder.None : TableBorder.Rounded };
        table.AddColumn(new TableColumn("ms"));
        foreach (string column in (string[])["median", "fastest", "p95", "p99"])
            table.AddColumn(new TableColumn(column).RightAligned());
        table.AddColumn(new TableColumn(""));
        foreach ((string name, Durations times, string meaning) in
            result.Stages.Select(stage => (stage.Name, stage.Times, Meanings[stage.Name]))
                .Prepend(("latency", result.Latency, "pixels in, labels out")))
        {
            table.AddRow(
                name, Text(times.Median), Text(times.Fastest), Text(times.Percentile(0.95)),
                Text(times.Percentile(0.99)), meaning);
        }
        Terminal.Rich(Console.Out, Console.IsOutputRedirected).Write(table);
        if (result.Stages.Any(stage => stage.Name == "upload"))
            Console.Out.WriteLine(
                "             upload to download by the device's clock, in runs that go step by step; latency is one " +
                "launch");
        string rate = Rate(result).ToString("0.00", CultureInfo.InvariantCulture);
        Console.Out.WriteLine(
            $"throughput   {rate} pictures/s; {Numbers.Grouped(result.AllocatedBytes)} managed bytes a run");
    }

    private static double Rate(BenchResult result) =>
        result.Options.MaxBatch * result.Latency.Count / result.Latency.Total.TotalSeconds;

    private static int Threads(SegmenterOptions options) =>
        options.Threads > 0 ? options.Threads : Environment.ProcessorCount;

    private static void WriteDurations(Utf8JsonWriter json, string name, Durations times)
    {
        json.WriteStartObject(name);
        json.WriteNumber("median", Rounded(times.Median));
        json.WriteNumber("p95", Rounded(times.Percentile(0.95)));
        json.WriteNumber("p99", Rounded(times.Percentile(0.99)));
        json.WriteNumber("min", Rounded(times.Fastest));
        json.WriteNumber("max", Rounded(times.Slowest));
        json.WriteEndObject();
    }

    private static double Rounded(double milliseconds) => Math.Round(milliseconds, 4);

    private static string Text(double milliseconds) =>
        milliseconds.ToString(milliseconds < 100 ? "0.00" : "0.0", CultureInfo.InvariantCulture);
}
