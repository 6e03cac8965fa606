using System.Text.Json;
using Atrous.Imaging;
using Atrous.Tests.Support;

namespace Atrous.Tests.Cli.Quantizing;

/// <summary>`atrous quantize`, and what the other commands make of its file.</summary>
public sealed class QuantizeCommandTests : IDisposable
{
    private readonly Workplace _place = new();

    public QuantizeCommandTests()
    {
        Directory.CreateDirectory(_place["photos"]);
        Directory.CreateDirectory(_place["truth"]);
        using Image street = Image.Load(Repository.PathOf("samples/street.png"));
        for (int i = 0; i < 3; i++)
        {
            using Image part = street.Crop(150 * i, 200 * i, 240, 320);
            part.SavePng(_place[$"photos/{i}.png"]);
        }
    }

    public void Dispose() => _place.Dispose();

    [Fact]
    public void A_model_is_quantised_and_used()
    {
        string file = _place["street.int8.safetensors"];
        // What the model itself says is the truth here, so that float32 has a mean IoU of 1.
        for (int i = 0; i < 3; i++)
            Tool.Run("segment", _place[$"photos/{i}.png"], "-o", _place[$"truth/{i}.png"], "--quiet").Exits(0);
        ToolResult made = Tool.Run(
            "quantize", "atrous-street", "--images", _place["photos"], "--labels", _place["truth"], "--agreement",
            "0.9", "-o", file, "--json").Exits(0);
        JsonElement report = made.Json;
        Assert.Equal(2, report.GetProperty("calibrationPictures").GetInt32());
        Assert.Equal(1, report.GetProperty("checkPictures").GetInt32());
        Assert.InRange(report.GetProperty("agreement").GetDouble(), 0.9, 1);
        Assert.Equal(1, report.GetProperty("meanIouBefore").GetDouble(), 6);
        Assert.InRange(report.GetProperty("meanIouAfter").GetDouble(), 0.5, 0.9999);
        Assert.Contains(
            report.GetProperty("layers").EnumerateArray(), layer => layer.GetProperty("quantized").GetBoolean());
        Assert.Contains("looking at the pictures", made.Error);

        ToolResult info = Tool.Run("info", file).Exits(0);
        Assert.Contains("convolutions in 8 bits", info.Output);
        JsonElement said = Tool.Run("info", file, "--json").Exits(0).Json.GetProperty("quantization");
        Assert.Equal(2, said.GetProperty("calibrationPictures").GetInt32());
        int equalized = said.GetProperty("equalizedLayers").GetInt32();
        Assert.Equal(report.GetProperty("equalizedLayers").GetInt32(), equalized);
        Assert.Equal(equalized > 0, info.Output.Contains($"{equalized} with equalised channels"));

        ToolResult run = Tool.Run(
            "segment", _place["photos/0.png"], "--model", file, "-o", _place["mask.png"]).Exits(0);
        Assert.Contains("on cpu, int8", run.Error);
        Assert.Contains(
            "on cpu, fp32",
            Tool.Run(
                "segment", _place["photos/0.png"], "--model", file, "-o", _place["mask.png"], "--precision", "fp32")
                .Exits(0).Error);
        Assert.Equal("int8", Tool.Run("bench", file, "--size", "96x128", "--runs", "1", "--json").Exits(0).Json
            .GetProperty("precision").GetString());
        Tool.Run("verify", file, _place["photos/0.png"]).Exits(0);
        JsonElement[] layers =
        [
            .. Tool.Run("verify", file, _place["photos/0.png"], "--layers", "--json").Exits(0).Json
                .GetProperty("layers").EnumerateArray(),
        ];
        // Those of 8 bits are looked at as they are, rounded.
        Assert.True(layers.Count(layer => layer.GetProperty("rms").GetDouble() > 1e-3) > layers.Length / 2);

        string converted = _place["converted.safetensors"];
        Tool.Run("convert", file, "-o", converted).Exits(0);
        Assert.DoesNotContain("8 bits", Tool.Run("info", converted).Exits(0).Output);
    }

    [Fact]
    public void What_cannot_be_done_is_said()
    {
        Tool.Run("segment", "samples/street.png", "--precision", "int8", "-o", _place["mask.png"])
            .Refuses(2, "was not", "`atrous quantize MODEL --images DIR -o FILE`");
        Tool.Run("quantize", "atrous-street", "--images", _place["nowhere"], "-o", _place["q.safetensors"])
            .Refuses(3, "nowhere");
        Directory.CreateDirectory(_place["one"]);
        File.Copy(_place["photos/0.png"], _place["one/0.png"]);
        ToolResult few = Tool.Run(
            "quantize", "atrous-street", "--images", _place["one"], "-o", _place["q.safetensors"]);
        Assert.Contains("at least 2 pictures", few.Error);
        Assert.NotEqual(0, few.ExitCode);
        Assert.False(File.Exists(_place["q.safetensors"]));
        Tool.Run(
            "quantize", "atrous-street", "--images", _place["photos"], "-o", _place["q.safetensors"], "--agreement", "2")
            .Refuses(2, "--agreement");
    }
}
