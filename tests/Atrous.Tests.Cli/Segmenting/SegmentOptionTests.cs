using Atrous.Imaging;
using Atrous.Tests.Segmenters;

namespace Atrous.Tests.Cli.Segmenting;

/// <summary>The options of `atrous segment` that change the mask: the CRF and pre-processing.</summary>
public sealed class SegmentOptionTests(GeneratedModel model) : IDisposable
{
    private readonly Workplace _place = new();

    public void Dispose() => _place.Dispose();

    [Theory]
    [InlineData("--crf")]
    [InlineData("--crf=pydensecrf")]
    [InlineData("--resize", "65x33")]
    [InlineData("--resize", "long=40")]
    [InlineData("--resize", "short=64")]
    [InlineData("--resize", "letterbox=128x128")]
    [InlineData("--mean", "0,0,0", "--std", "1,1,1")]
    [InlineData("--channel-order", "bgr")]
    public void An_option_changes_the_mask_but_not_its_size(params string[] options)
    {
        _place.AddPhoto("a.png");
        byte[] plain = Mask([]), changed = Mask(options);
        Assert.Equal(plain.Length, changed.Length);
        Assert.NotEqual(plain, changed);
    }

    [Theory]
    [InlineData("--crf", "a.png")]
    [InlineData("--crf", "PyDenseCRF", "a.png")]
    [InlineData("--crf", "--quiet", "a.png")]
    [InlineData("a.png", "--crf")]
    [InlineData("--crf", "--", "a.png")]
    public void The_name_of_a_crf_may_be_left_out_before_a_picture(params string[] arguments)
    {
        _place.AddPhoto("a.png");
        Tool.RunIn(_place.Folder, ["segment", "--model", model.Path, "-o", "m.png", .. arguments]).Exits(0);
        _place.AssertMask("m.png");
    }

    [Theory]
    [InlineData("no CRF named 'bogus'", "--crf=bogus")]
    [InlineData("--resize takes", "--resize", "tall")]
    [InlineData("--resize takes", "--resize", "0x5")]
    [InlineData("3 number(s)", "--mean", "1,2")]
    [InlineData("numbers with commas", "--mean", "a,b,c")]
    [InlineData("above 0", "--std", "0,1,1")]
    [InlineData("rgb", "--channel-order", "hsv")]
    public void A_wrong_value_is_wrong_usage(string part, params string[] options)
    {
        _place.AddPhoto("a.png");
        Tool.Run(["segment", _place["a.png"], "--model", model.Path, .. options]).Refuses(2, part);
    }

    private byte[] Mask(string[] options)
    {
        string path = _place["m.png"];
        Tool.Run(["segment", _place["a.png"], "-q", "-o", path, "--model", model.Path, .. options]).Exits(0);
        using Image mask = Image.Load(path);
        return mask.Pixels.ToArray();
    }
}
