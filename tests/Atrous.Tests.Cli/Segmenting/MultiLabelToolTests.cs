using System.Text.Json;
using Atrous.Imaging;
using Atrous.Postprocessing;
using Atrous.Tests.Segmenters;

namespace Atrous.Tests.Cli.Segmenting;

/// <summary>--multilabel: a mask of each class beside the mask of the most probable ones.</summary>
public sealed class MultiLabelToolTests(GeneratedModel model) : IDisposable
{
    private static readonly string[] Outputs =
    [
        "photo.1-channel_0.mask.png", "photo.2-channel_1.mask.png", "photo.3-channel_2.mask.png",
        "photo.4-channel_3.mask.png", "photo.5-channel_4.mask.png", "photo.mask.png",
    ];

    private readonly Workplace _place = new();

    public void Dispose() => _place.Dispose();

    [Fact]
    public void Each_class_has_a_mask_of_its_own()
    {
        _place.AddPhoto("photo.png");
        ToolResult result = Segment(_place["photo.png"], "--multilabel", "--json").Exits(0);
        Assert.Equal(Outputs.Append("photo.png"), _place.Files);
        Assert.Contains("several labels a pixel: of each class above 0.5 (--threshold)", result.ErrorLines[0]);
        Assert.Contains("photo.1-channel_0.mask.png and so on", result.ErrorLines[1]);
        using Segmenter segmenter = Segmenter.Load(
            model.Path,
            new SegmenterOptions { Switches = new Dictionary<string, string> { ["multilabel"] = "true" } });
        using Image photo = Image.Load(_place["photo.png"]);
        Segmentation expected = segmenter.Segment(photo);
        Assert.Equal(expected.Labels.ToArray(), LabelImage.Load(_place["photo.mask.png"]).Labels.ToArray());
        for (int label = 1; label < expected.Classes; label++)
        {
            ushort[] map = LabelImage.Load(_place[Outputs[label - 1]]).Labels.ToArray();
            Assert.Equal(expected.Only(label).Labels.ToArray(), map);
        }
        JsonElement[] classes = [.. result.Json.GetProperty("results")[0].GetProperty("classes").EnumerateArray()];
        Assert.Equal(expected.Shares.Select(share => share.Pixels), classes.Select(Pixels));
        Assert.All(classes, entry => Assert.Equal(
            entry.GetProperty("index").GetInt32() is > 0 and var label ? _place[Outputs[label - 1]] : null,
            entry.TryGetProperty("mask", out JsonElement mask) ? mask.GetString() : null));
    }

    [Fact]
    public void Standard_output_has_the_most_probable_classes_and_windows_do_no_harm()
    {
        byte[] photo = Workplace.Photo();
        ToolResult piped = Tool.Pipe(photo, "segment", "-", "-m", model.Path, "--multilabel", "-o", "-").Exits(0);
        Workplace.AssertMask(piped.Bytes);
        _place.Add("photo.png", photo);
        Segment(_place["photo.png"], "--multilabel", "--tile", "512", "-q").Exits(0);
        Assert.Equal(piped.Bytes, File.ReadAllBytes(_place["photo.mask.png"]));
    }

    [Fact]
    public void What_needs_one_class_a_pixel_is_refused()
    {
        _place.AddPhoto("img/a.png");
        _place.AddPhoto("gt/a.png");
        Tool.Run("eval", model.Path, "--images", _place["img"], "--labels", _place["gt"], "--multilabel", "-q")
            .Refuses(3, "can be of several", "multilabel=false");
        Segment(_place["img/a.png"], "--multilabel", "--crf", "-q").Refuses(2, "CRF");
        Segment(_place["img/a.png"], "--multilabel", "--option", "multilabel=true", "-q").Refuses(2, "one of them");
        Assert.Contains("multilabel=true", Tool.Run("info", model.Path, "--multilabel").Exits(0).Output);
        Assert.DoesNotContain("multilabel", Tool.Run("info", model.Path).Exits(0).Output);
    }

    private static long Pixels(JsonElement entry) => entry.GetProperty("pixels").GetInt64();

    private ToolResult Segment(string photo, params string[] options) =>
        Tool.Run(["segment", photo, "-m", model.Path, .. options]);
}
