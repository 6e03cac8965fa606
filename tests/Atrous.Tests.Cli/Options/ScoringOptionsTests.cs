using Atrous.Imaging;
using Atrous.Tests.Segmenters;

namespace Atrous.Tests.Cli.Options;

/// <summary>--tile, --overlap, --scales and --flip.</summary>
public sealed class ScoringOptionsTests(GeneratedModel model) : IDisposable
{
    private readonly Workplace _place = new();

    public void Dispose() => _place.Dispose();

    [Theory]
    [InlineData("--tile", "32")]
    [InlineData("--tile", "32", "--overlap", "0")]
    [InlineData("--tile", "32", "--overlap", "0.9", "--flip")]
    [InlineData("--scales", "0.75,1,1.25")]
    [InlineData("--flip")]
    [InlineData("--scales", "0.5", "--flip", "--crf")]
    public void An_option_gives_a_mask_of_the_same_size(params string[] options)
    {
        _place.AddPhoto("a.png");
        Segment(options).Exits(0);
        _place.AssertMask("a.mask.png");
    }

    [Fact]
    public void A_picture_of_one_pixel_is_segmented()
    {
        _place.Add("a.png", Workplace.Photo(1, 1));
        Segment("--tile", "513", "--scales", "0.5,1", "--flip").Exits(0);
        _place.AssertMask("a.mask.png", 1, 1);
    }

    [Theory]
    [InlineData("--tile takes a number of pixels from 32 to 16384, not '0'", "--tile", "0")]
    [InlineData("not 'big'", "--tile", "big")]
    [InlineData("--overlap takes a number from 0 to 0.9, not '1'", "--tile", "64", "--overlap", "1")]
    [InlineData("not '-0.1'", "--tile", "64", "--overlap=-0.1")]
    [InlineData("give both", "--overlap", "0.5")]
    [InlineData("leave out one", "--tile", "64", "--crf")]
    [InlineData("leave out --resize", "--tile", "64", "--resize", "65x65")]
    [InlineData("--scales takes", "--scales", "0")]
    [InlineData("--scales takes", "--scales", "1,,2")]
    [InlineData("--scales takes", "--scales", "NaN")]
    public void A_wrong_value_is_wrong_usage(string part, params string[] options)
    {
        _place.AddPhoto("a.png");
        Segment(options).Refuses(2, part);
        Assert.Equal(["a.png"], _place.Files);
    }

    private ToolResult Segment(params string[] options) =>
        Tool.Run(["segment", _place["a.png"], "-q", "--model", model.Path, .. options]);
}
