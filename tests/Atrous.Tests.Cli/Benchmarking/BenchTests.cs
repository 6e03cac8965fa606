using System.Diagnostics;
using System.Text.Json;
using Atrous.Tests.Segmenters;

namespace Atrous.Tests.Cli.Benchmarking;

/// <summary>`atrous bench`: measures add up, and an interrupted run tells what it has.</summary>
public sealed class BenchTests(GeneratedModel model) : IDisposable
{
    private readonly Workplace _place = new();

    public void Dispose() => _place.Dispose();

    [Fact]
    public void The_stages_are_parts_of_the_latency()
    {
        long start = Stopwatch.GetTimestamp();
        JsonElement json = Tool.Run(
            "bench", model.Path, "--device", "cpu", "--size", "97x129", "--batch", "3", "--runs", "7", "--json")
            .Exits(0).Json;
        double spent = Stopwatch.GetElapsedTime(start).TotalMilliseconds;
        Assert.Equal((97, 129, 3, 7), (Number("height"), Number("width"), Number("batch"), Number("runs")));
        Assert.False(json.GetProperty("interrupted").GetBoolean());
        JsonElement times = json.GetProperty("milliseconds");
        Assert.Equal(["latency", "decode", "preprocess", "network", "encode"], times.EnumerateObject()
            .Select(stage => stage.Name));
        foreach (JsonProperty stage in times.EnumerateObject())
        {
            double[] order =
                [.. ((string[])["min", "median", "p95", "p99", "max"])
                .Select(name => stage.Value.GetProperty(name).GetDouble())];
            Assert.Equal(order.Order(), order);
            Assert.True(order[0] > 0, $"{stage}");
        }
        double latency = Median("latency");
        // In every run the parts are within the whole, and so are their medians.
        Assert.InRange(Median("network"), 0, latency);
        Assert.InRange(Median("preprocess"), 0, latency);
        // A mean and a median of one run: the same to within the spread.
        double rate = json.GetProperty("picturesPerSecond").GetDouble();
        Assert.InRange(rate, 3000 / times.GetProperty("latency").GetProperty("max").GetDouble(),
            3000 / times.GetProperty("latency").GetProperty("min").GetDouble());
        JsonElement startUp = json.GetProperty("startUp");
        double total = startUp.GetProperty("total").GetDouble();
        Assert.Equal(
            total, ((string[])["process", "load", "firstMask"]).Sum(part => startUp.GetProperty(part).GetDouble()), 1);
        Assert.InRange(total, 0, spent);
        // A mask is two bytes a pixel.
        Assert.InRange(json.GetProperty("allocatedBytes").GetInt64(), 3 * 97 * 129 * 2, 3 * 97 * 129 * 2 + 20_000);
        Assert.True(json.GetProperty("peakResidentBytes").GetInt64() > json.GetProperty("allocatedBytes").GetInt64());

        int Number(string name) => json.GetProperty(name).GetInt32();

        double Median(string stage) => times.GetProperty(stage).GetProperty("median").GetDouble();
    }

    [Fact]
    public void A_picture_can_be_given_and_the_table_names_it()
    {
        string photo = _place.AddPhoto("a.png");
        ToolResult result = Tool.Run("bench", model.Path, "--image", photo, "--runs", "2", "--warm-up", "0").Exits(0);
        Assert.Empty(result.Error);
        Assert.Contains($"{photo} 33x37, batch 1; 2 runs after 0 to warm up", result.Output);
        foreach (
            string word in (string[])["latency", "decode", "preprocess", "network", "encode", "throughput", "start-up",
            "peak memory"])
            Assert.Contains(word, result.Output);
        Tool.Run("bench", model.Path, "--image", _place["none.png"]).Refuses(3, "none.png");
        Tool.Run("bench", model.Path, "--image", _place.Add("text.png", "no picture")).Refuses(3, "text.png");
    }

    [Fact]
    public void Layers_add_up_to_the_network()
    {
        JsonElement json = Tool.Run(
            "bench", model.Path, "--device", "cpu", "--size", "97x129", "--runs", "5", "--layers", "--json")
            .Exits(0).Json;
        JsonElement[] layers = [.. json.GetProperty("layers").EnumerateArray()];
        Assert.Equal("labels", layers[^1].GetProperty("name").GetString());
        Assert.Equal("1x97x129x1", layers[^1].GetProperty("shape").GetString());
        Assert.All(layers, layer =>
            Assert.InRange(layer.GetProperty("min").GetDouble(), 0.0001, layer.GetProperty("median").GetDouble()));
        // Fused layers compute what `atrous info` counts, so no layer is left out; but the pooled branch is multiplied
        // once a picture.
        long counted = Tool.Run("info", model.Path, "--size", "97x129", "--json")
            .Exits(0).Json.GetProperty("multiplyAdds").GetInt64();
        Assert.InRange(layers.Sum(layer => layer.GetProperty("multiplyAdds").GetInt64()), 0.98 * counted, counted);
        double network = json.GetProperty("milliseconds").GetProperty("network").GetProperty("median").GetDouble();
        Assert.InRange(layers.Sum(layer => layer.GetProperty("median").GetDouble()), network / 4, network * 4);
    }

    [Fact]
    public void Layers_have_a_table_and_need_a_device_that_tells()
    {
        string table = Tool.Run("bench", model.Path, "--device", "cpu", "--size", "33x33", "--runs", "1", "--layers")
            .Exits(0).Output;
        Assert.Contains("GFLOP/s", table);
        Assert.Contains("1x33x33x1", table);
        Tool.Run("bench", model.Path, "--device", "reference", "--size", "17x17", "--runs", "1", "--warm-up", "0",
            "--layers")
            .Refuses(2, "--layers: the device reference does not tell how long a layer takes; use --device cpu.");
    }

    [Fact]
    public void Ctrl_C_prints_what_was_measured()
    {
        Process process =
            Tool.Start(_place.Folder, "bench", model.Path, "--size", "97x129", "--runs", "1000000", "--json");
        Thread.Sleep(TimeSpan.FromSeconds(5));
        Assert.False(process.HasExited);
        Signals.Send(process.Id, 2);
        ToolResult result = Tool.Finish(process, []).Exits(130);
        Assert.Empty(result.Error);
        JsonElement json = result.Json;
        Assert.True(json.GetProperty("interrupted").GetBoolean());
        Assert.InRange(json.GetProperty("runs").GetInt32(), 1, 999_999);
        Assert.True(json.GetProperty("milliseconds").GetProperty("latency").GetProperty("median").GetDouble() > 0);
    }
}
