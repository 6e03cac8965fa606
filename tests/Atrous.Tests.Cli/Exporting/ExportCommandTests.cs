using Atrous.Tests.Segmenters;
using Atrous.Tests.Support;

namespace Atrous.Tests.Cli.Exporting;

/// <summary>`atrous export` and `atrous convert` as the shell sees them.</summary>
public sealed class ExportCommandTests(GeneratedModel model) : IDisposable
{
    private readonly Workplace _place = new();

    public void Dispose() => _place.Dispose();

    [Fact]
    public void Export_says_what_it_wrote()
    {
        ToolResult any = Tool.Run("export", model.Path, "-o", _place["any.onnx"]).Exits(0);
        Assert.Contains("(assumed: output stride 16, ", any.ErrorLines[0], StringComparison.Ordinal);
        Assert.Contains("input of any size", any.ErrorLines[^1], StringComparison.Ordinal);
        ToolResult one = Tool.Run("export", model.Path, "-o", _place["one.onnx"], "--size", "97x129", "--batch", "2")
            .Exits(0);
        Assert.Contains("input of 97x129 only", one.ErrorLines[^1], StringComparison.Ordinal);
        Assert.Empty(Tool.Run("export", model.Path, "-o", _place["any.onnx"], "-q").Exits(0).Error);
        Assert.Equal(["any.onnx", "one.onnx"], _place.Files);
    }

    /// <summary>The model in the box has a size of its own, which one file leaves to others and one brings.</summary>
    [Fact]
    public void A_network_for_pictures_resizes_them_itself()
    {
        const string Outside = "which the network that was written does not do";
        string box = Repository.PathOf("models/atrous-street.safetensors");
        ToolResult pixels = Tool.Run("export", box, "-o", _place["a.onnx"], "--pixels").Exits(0);
        Assert.Contains(Outside, pixels.Error, StringComparison.Ordinal);
        ToolResult whole = Tool.Run("export", box, "-o", _place["b.onnx"], "--pictures").Exits(0);
        Assert.DoesNotContain(Outside, whole.Error, StringComparison.Ordinal);
        Assert.Contains("b.onnx: output, ", whole.ErrorLines[^1], StringComparison.Ordinal);
        Assert.Contains("input of any size", whole.ErrorLines[^1], StringComparison.Ordinal);
    }

    [Fact]
    public void Convert_writes_a_file_that_info_and_segment_take()
    {
        string converted = _place["half.safetensors"];
        Tool.Run("convert", model.Path, "-o", converted, "--dtype", "fp16", "--fold", "true", "--output-stride", "8")
            .Exits(0);
        string info = Tool.Run("info", converted).Exits(0).Output;
        Assert.Contains("atrous.version 2", info, StringComparison.Ordinal);
        Assert.Contains("DeepLabV3+", info, StringComparison.Ordinal);
        Tool.RunIn(_place.Folder, "segment", _place.AddPhoto("photo.png"), "--model", converted, "-o", "mask.png", "-q")
            .Exits(0);
        _place.AssertMask("mask.png");
        Tool.Run("info", converted, "--output-stride", "16").Refuses(2, "output stride 16");
    }

    [Theory]
    [InlineData("export --help", 0, "")]
    [InlineData("convert --help", 0, "")]
    [InlineData("export MODEL", 2, "--output")]
    [InlineData("export MODEL -o X --size 5", 2, "HEIGHTxWIDTH")]
    [InlineData("export MODEL -o X --batch 0", 2, "--batch takes a number from 1")]
    [InlineData("export MODEL -o X --pictures --size 64x64", 2, "leave out --size")]
    [InlineData("export MODEL -o X --output-stride 12", 2, "output stride 12")]
    [InlineData("convert MODEL -o X --dtype int8", 2, "int8")]
    [InlineData("convert MODEL -o X --dialect frob", 2, "frob")]
    [InlineData("export /nowhere/model.pth -o X", 3, "/nowhere/model.pth")]
    [InlineData("convert /nowhere/model.pth -o X", 3, "/nowhere/model.pth")]
    [InlineData("export MODEL -o /dev/null", 1, "/dev/null")]
    [InlineData("convert MODEL -o /proc/model.safetensors", 1, "/proc/model.safetensors")]
    public void Wrong_use_leaves_nothing_behind(string line, int exitCode, string words)
    {
        Assert.SkipUnless(
            OperatingSystem.IsLinux() || !(line.Contains("/dev/") || line.Contains("/proc/")), "a path of Linux");
        ToolResult result = Tool.Run([.. line.Split(' ').Select(word => word switch
        {
            "MODEL" => model.Path,
            "X" => _place["x"],
            _ => word,
        })]);
        if (exitCode == 0)
            Assert.Contains("Exit codes:", result.Exits(0).Output, StringComparison.Ordinal);
        else
            result.Refuses(exitCode, words);
        Assert.Empty(_place.Files);
    }
}
