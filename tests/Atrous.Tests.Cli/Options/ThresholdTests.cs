using System.Text.Json;
using Atrous.Postprocessing;
using Atrous.Tests.Support;

namespace Atrous.Tests.Cli.Options;

/// <summary>--threshold, and what the tool says of networks of one class.</summary>
public sealed class ThresholdTests : IDisposable
{
    private readonly Workplace _place = new();

    public void Dispose() => _place.Dispose();

    [Fact]
    public void The_first_line_and_info_name_the_threshold_in_force()
    {
        ToolResult usual = Segment("usual.png").Exits(0), given = Segment("given.png", "--threshold", "0.6").Exits(0);
        Assert.Contains("one class: foreground above 0.5 (--threshold)", usual.ErrorLines[0]);
        Assert.Contains("one class: foreground above 0.6 (--threshold)", given.ErrorLines[0]);
        Assert.True(Foreground("given.png") < Foreground("usual.png"));
        Segment("same.png", "--option", "threshold=0.6").Exits(0);
        Assert.Equal(File.ReadAllBytes(_place["given.png"]), File.ReadAllBytes(_place["same.png"]));

        JsonElement info = Tool.Run("info", Model, "--json").Exits(0).Json;
        Assert.Equal(2, info.GetProperty("classes").GetInt32());
        Assert.Contains("threshold=0.5", Tool.Run("info", Model).Exits(0).Output);
    }

    [Theory]
    [InlineData("1.5", "a number between 0 and 1")]
    [InlineData("half", "a number between 0 and 1")]
    public void What_is_no_probability_is_refused(string text, string words) =>
        Segment("no.png", "--threshold", text).Refuses(2, words);

    [Fact]
    public void Two_thresholds_are_refused_and_so_is_one_for_several_classes()
    {
        Segment("no.png", "--threshold", "0.4", "--option", "threshold=0.5").Refuses(2, "give one of them");
        _place.AddPhoto("photo.png");
        Tool.Run("segment", _place["photo.png"], "--threshold", "0.4").Refuses(2, "no switch 'threshold'");
    }

    [Fact]
    public void Label_maps_that_may_mean_either_are_refused_with_the_option_that_decides()
    {
        Directory.CreateDirectory(_place["labels"]);
        _place.AddPhoto("images/a.png");
        var labels = new ushort[33 * 37];
        (labels[0], labels[1]) = (1, 255);
        LabelPng.Save(_place["labels/a.png"], labels, 33, 37, 256);
        string[] arguments =
            ["eval", Model, "--images", _place["images"], "--labels", _place["labels"], "--json"];
        Tool.Run([.. arguments, "-q"]).Refuses(3, "labels/a.png", "1 and 255", "--ignore");
        JsonElement decided = Tool.Run([.. arguments, "--ignore", "255"]).Exits(0).Json;
        Assert.Equal(1, decided.GetProperty("ignoredPixels").GetInt64());
    }

    /// <summary>shift=0 says that labels are classes, and 255 is none of background and foreground.</summary>
    [Fact]
    public void A_map_that_leaves_255_without_a_class_is_refused_and_one_that_names_it_is_not()
    {
        Directory.CreateDirectory(_place["labels"]);
        _place.AddPhoto("images/a.png");
        var labels = new ushort[33 * 37];
        Array.Fill(labels, (ushort)255, 0, 100);
        LabelPng.Save(_place["labels/a.png"], labels, 33, 37, 256);
        string[] arguments =
            ["eval", Model, "--images", _place["images"], "--labels", _place["labels"], "--json", "-q"];
        Tool.Run([.. arguments, "--map", "shift=0"]).Refuses(3, "labels/a.png", "label 255", "from 0 to 1", "--map");
        string map = _place.Add("map.txt", "0 0\n255 1\n");
        JsonElement named = Tool.Run([.. arguments, "--map", map]).Exits(0).Json;
        Assert.Equal(
            Tool.Run(arguments).Exits(0).Json.GetProperty("meanIou").GetDouble(),
            named.GetProperty("meanIou").GetDouble());
        Assert.Equal(0, named.GetProperty("ignoredPixels").GetInt64());
        Assert.InRange(named.GetProperty("meanIou").GetDouble(), 0, 0.999);
    }

    private static string Model => Shared.Require("cases/01-one-class-mask/smp_c1.pth");

    private ToolResult Segment(string output, params string[] options) => Tool.Run(
        ["segment", Shared.Require("cases/01-one-class-mask/photo.png"), "-m", Model, "-o", _place[output],
        .. options]);

    private int Foreground(string mask) => LabelImage.Load(_place[mask]).Labels.Count((ushort)1);
}
