using Atrous.Tests.Segmenters;

namespace Atrous.Tests.Cli.Segmenting;

/// <summary>`atrous segment` where it must not or cannot write, and where the device is not there.</summary>
public sealed class SegmentRefusalTests(GeneratedModel model) : IDisposable
{
    private readonly Workplace _place = new();

    public void Dispose() => _place.Dispose();

    [Fact]
    public void Two_inputs_for_one_output_are_refused_before_anything_is_written()
    {
        _place.AddPhoto("a.png");
        _place.AddPhoto("a.jpg");
        _place.AddPhoto("sub/a.png");
        string[] before = _place.Files;
        Segment(_place["a.png"], _place["a.jpg"]).Refuses(2, "a.png", "a.jpg", "a.mask.png");
        Segment(_place["a.png"], _place["sub/a.png"], "-o", _place["out"]).Refuses(2, "a.mask.png");
        Segment(_place["a.png"], _place["a.png"]).Refuses(2, "a.mask.png");
        Segment(_place["a.png"], "-o", _place["a.png"]).Refuses(2, "overwritten");
        Segment(_place["a.png"], _place["sub"], "-o", _place["m.png"]).Refuses(2, "folder");
        Segment(_place["a.png"], "-o", _place["m.jpg"]).Refuses(2, ".png");
        Segment(_place["sub"], "-o", "-").Refuses(2, "one file");
        Assert.Equal(before, _place.Files);
    }

    [Fact]
    public void A_photo_behind_a_link_is_not_overwritten()
    {
        _place.AddPhoto("data/a.png");
        byte[] photo = File.ReadAllBytes(_place["data/a.png"]);
        File.CreateSymbolicLink(_place["in.png"], "data/a.png");
        Directory.CreateSymbolicLink(_place["folder"], "data");
        foreach (string output in (string[])["data/a.png", "folder/a.png", "in.png"])
            Segment(_place["in.png"], "-o", _place[output]).Refuses(2, "would be overwritten");
        Assert.Equal(photo, File.ReadAllBytes(_place["data/a.png"]));
    }

    [Fact]
    public void An_output_that_cannot_be_written_is_worth_retrying()
    {
        _place.AddPhoto("a.png");
        _place.Add("file", "in the way");
        string[] before = _place.Files;
        Segment(_place["a.png"], "-q", "-o", _place["file/out.png"]).Refuses(1, "cannot be written");
        if (OperatingSystem.IsLinux())
            Segment(_place["a.png"], "-q", "-o", "/proc/atrous/out.png").Refuses(1, "cannot be written");
        // The overlay's name is taken by a folder: then there is no mask either.
        Directory.CreateDirectory(_place["a.overlay.png"]);
        Segment(_place["a.png"], "-q", "--overlay").Refuses(1, "a.overlay.png");
        Assert.Equal(before, _place.Files);
    }

    [Fact]
    public void An_existing_output_is_replaced_and_a_link_followed()
    {
        _place.AddPhoto("a.png");
        _place.Add("a.mask.png", "old");
        Segment(_place["a.png"], "-q").Exits(0);
        byte[] mask = _place.AssertMask("a.mask.png");

        _place.Add("elsewhere.png", "old");
        File.CreateSymbolicLink(_place["link.png"], _place["elsewhere.png"]);
        Segment(_place["a.png"], "-q", "-o", _place["link.png"]).Exits(0);
        Assert.Equal(mask, _place.AssertMask("elsewhere.png"));
        Assert.NotNull(new FileInfo(_place["link.png"]).LinkTarget);

        if (!OperatingSystem.IsWindows())
            Segment(_place["a.png"], "-q", "-o", "/dev/null").Exits(0);
        Assert.Equal(4, _place.Files.Length);
    }

    [Theory]
    [InlineData("--device", "cuda:99")]
    [InlineData("--device", "tpu")]
    [InlineData("--device", "reference", "--precision", "fp16")]
    [InlineData("--dialect", "nonesuch")]
    [InlineData("--option", "nonesuch=1")]
    public void What_is_not_to_be_had_is_wrong_usage(params string[] options)
    {
        _place.AddPhoto("a.png");
        Segment([_place["a.png"], "-q", .. options]).Refuses(2);
        Assert.Equal(["a.png"], _place.Files);
    }

    [Fact]
    public void A_bad_model_is_refused_before_anything_is_written()
    {
        _place.AddPhoto("a.png");
        _place.Add("half.safetensors", File.ReadAllBytes(model.Path)[..1_000_000]);
        Tool.Run("segment", _place["a.png"], "--model", _place["half.safetensors"], "-o", _place["out"])
            .Refuses(3, "half.safetensors");
        Tool.Run("segment", _place["a.png"], "--model", _place["nothing.pth"], "-o", _place["out"])
            .Refuses(3, "nothing.pth");
        Assert.Equal(["a.png", "half.safetensors"], _place.Files);
    }

    [Fact]
    public void Every_device_and_thread_count_gives_a_mask_and_quiet_says_nothing()
    {
        _place.AddPhoto("a.png");
        foreach (
            string[] options in new string[][] { ["--threads", "1"], ["--threads", "2"], ["--device", "reference"] })
        {
            ToolResult result = Segment([_place["a.png"], "--quiet", "-o", _place[$"{options[1]}.png"], .. options])
                .Exits(0);
            Assert.Empty(result.Output + result.Error);
        }
        Assert.Equal(_place.AssertMask("1.png"), _place.AssertMask("2.png"));
        _place.AssertMask("reference.png");
    }

    private ToolResult Segment(params string[] arguments) => Tool.Run(["segment", .. arguments, "--model", model.Path]);
}
