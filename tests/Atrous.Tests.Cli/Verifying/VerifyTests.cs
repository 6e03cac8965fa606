using System.Text.Json;
using Atrous.Tests.Segmenters;

namespace Atrous.Tests.Cli.Verifying;

/// <summary>`atrous verify`: the user's own check of a device.</summary>
public sealed class VerifyTests(GeneratedModel model) : IDisposable
{
    private readonly Workplace _place = new();

    public void Dispose() => _place.Dispose();

    [Fact]
    public void A_made_picture_is_within_the_tolerance()
    {
        ToolResult result = Tool.Run("verify", model.Path, "--device", "cpu").Exits(0);
        string line = Assert.Single(result.ErrorLines);
        Assert.Contains("on cpu, fp32", line);
        Assert.Contains(", against reference, fp32", line);
        Assert.Contains("made picture 129x129", result.Output);
        Assert.Contains("tolerance of fp32: max 1.0e-04", result.Output);
        Assert.EndsWith("\nwithin the tolerance\n", result.Output);
    }

    [Fact]
    public void Layers_and_pictures_are_told_to_programs()
    {
        _place.AddPhoto("in/a.png");
        _place.AddPhoto("in/b.png");
        ToolResult result = Tool.Run(
            "verify", model.Path, _place["in"], "--device", "cpu", "--against", "cpu", "--size", "65x49", "--layers",
            "--json", "-q").Exits(0);
        Assert.Empty(result.Error);
        JsonElement json = result.Json;
        Assert.Equal("cpu", json.GetProperty("against").GetString());
        Assert.True(json.GetProperty("within").GetBoolean());
        Assert.Equal(JsonValueKind.Null, json.GetProperty("firstLayerAbove").ValueKind);
        Assert.Equal(
            [_place["in/a.png"], _place["in/b.png"]],
            json.GetProperty("pictures").EnumerateArray()
                .Select(picture => picture.GetProperty("picture").GetString()!));
        JsonElement[] layers = [.. json.GetProperty("layers").EnumerateArray()];
        Assert.InRange(layers.Length, 50, 120);
        Assert.Equal("1x32x24x32", layers[0].GetProperty("shape").GetString());
        Assert.All(layers, layer => Assert.Equal(0, layer.GetProperty("max").GetDouble()));
    }

    [Fact]
    public void What_cannot_be_verified_is_refused()
    {
        Tool.Run("verify").Refuses(2, "atrous verify --help");
        Tool.Run("verify", model.Path, "--against", "cuda").Refuses(2, "cuda");
        Tool.Run("verify", model.Path, "-").Refuses(2, "'-'");
        Tool.Run("verify", model.Path, _place["none.png"]).Refuses(3, "none.png");
        Tool.Run("verify", _place["none.pth"]).Refuses(3, "none.pth");
    }
}
