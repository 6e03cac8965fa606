using System.Globalization;
using System.Text.Json;
using Atrous.Imaging;
using Atrous.Tests.Segmenters;

namespace Atrous.Tests.Cli.Videos;

/// <summary>`atrous segment VIDEO`: frames, times, rotation and what is written.</summary>
public sealed class VideoTests : IDisposable
{
    /// <summary>
    /// What a channel may change by on average. Taking a quarter of the colours' pixels changes these overlays by 2.4,
    /// H.264 by up to 5.1 in all; the frame five places further is 10 away, and half the clip further 20.
    /// </summary>
    private const double Encoding = 6;

    private readonly GeneratedModel _model;
    private readonly Workplace _place = new();

    public VideoTests(GeneratedModel model)
    {
        Clip.NeedsFfmpeg();
        _model = model;
        File.Copy(Clip.Path, _place["clip.mp4"]);
    }

    public void Dispose() => _place.Dispose();

    [Fact]
    public void A_clip_becomes_an_overlay_of_as_many_frames_at_the_same_times()
    {
        // The model in the box, whose regions are large enough for the codec's quarter of the colours.
        ToolResult result = Tool.RunIn(_place.Folder, "segment", "clip.mp4").Exits(0);
        Assert.Contains("overlay in clip.overlay.mp4", result.Error);
        Assert.StartsWith("clip.mp4  clip.overlay.mp4  ", result.Output);
        Assert.Equal(["clip.mp4", "clip.overlay.mp4"], _place.Files);
        string[] times = Clip.Times(_place["clip.overlay.mp4"]);
        Assert.Equal(Clip.Frames, times.Length);
        Assert.Equal(Clip.Times(_place["clip.mp4"]), times);
        Assert.Equal(
            Clip.Stream(_place["clip.mp4"], "width,height,r_frame_rate,duration,nb_frames"),
            Clip.Stream(_place["clip.overlay.mp4"], "width,height,r_frame_rate,duration,nb_frames"));

        // The pixels are those of the library's overlays, in their order.
        byte[] source = Clip.Pixels(_place["clip.mp4"]), overlay = Clip.Pixels(_place["clip.overlay.mp4"]);
        const int Frame = Clip.Height * Clip.Width * 3;
        Assert.Equal(source.Length, overlay.Length);
        using Segmenter segmenter = Segmenter.LoadDefault();
        foreach (int number in new[] { 0, 17, Clip.Frames - 1 })
        {
            using Image photo = Image.FromPixels(source.AsSpan(number * Frame, Frame), Clip.Height, Clip.Width);
            using Image expected = segmenter.Segment(photo).Overlay(photo);
            Assert.InRange(Clip.Difference(expected.Pixels, overlay.AsSpan(number * Frame, Frame)), 0, Encoding);
        }
    }

    [Fact]
    public void Frames_of_a_varying_rate_keep_their_times()
    {
        Clip.Make(
            "-i", _place["clip.mp4"],
            "-vf", "select='not(between(mod(n,7),2,4))',settb=1/90000,setpts='PTS+137*mod(N,3)'",
            "-vsync", "passthrough", "-enc_time_base", "1/90000", "-video_track_timescale", "90000", _place["vfr.mp4"]);
        string[] times = Clip.Times(_place["vfr.mp4"]);
        Assert.NotEqual(
            Clip.Stream(_place["vfr.mp4"], "r_frame_rate"), Clip.Stream(_place["vfr.mp4"], "avg_frame_rate"));
        Segment("vfr.mp4", "-q", "--jsonl", _place["vfr.jsonl"]).Exits(0);
        Assert.Equal(times, Clip.Times(_place["vfr.overlay.mp4"]));
        Assert.Equal(times, Lines("vfr.jsonl").Select(line => Fixed(line.GetProperty("time").GetDouble())));
    }

    [Fact]
    public void A_video_that_is_turned_when_shown_is_turned_once()
    {
        Clip.Make("-i", _place["clip.mp4"], "-c", "copy", "-metadata:s:v:0", "rotate=90", _place["turned.mp4"]);
        Assert.SkipUnless(
            Clip.Pixels(_place["turned.mp4"]).Length > 0
            && Clip.Stream(_place["turned.mp4"], "width:stream_side_data=rotation").Length == 2,
            "this ffmpeg writes no rotation so");
        Segment("turned.mp4", "-q", "--opacity", "0").Exits(0);
        Assert.Equal(
            [$"{Clip.Height}", $"{Clip.Width}"],
            Clip.Stream(_place["turned.overlay.mp4"], "width,height:stream_side_data=rotation"));
        // ffmpeg turns the source upright as a player does; the overlay has nothing that it could turn.
        Assert.InRange(
            Clip.Difference(Clip.Pixels(_place["turned.mp4"]), Clip.Pixels(_place["turned.overlay.mp4"])), 0, Encoding);
        Assert.Equal(Clip.Times(_place["turned.mp4"]), Clip.Times(_place["turned.overlay.mp4"]));
    }

    [Fact]
    public void Pixels_that_are_no_squares_and_odd_sides_stay()
    {
        Clip.Make(
            "-i", _place["clip.mp4"], "-frames:v", "3", "-vf", "format=yuv444p,crop=239:179,setsar=4/3", "-c:v", "ffv1",
            _place["odd.mkv"]);
        Segment("odd.mkv", "-q", "--opacity", "0").Exits(0);
        Assert.Equal(["239", "179", "4:3"], Clip.Stream(_place["odd.overlay.mp4"], "width,height,sample_aspect_ratio"));
        Assert.InRange(
            Clip.Difference(Clip.Pixels(_place["odd.mkv"]), Clip.Pixels(_place["odd.overlay.mp4"])), 0, Encoding);
    }

    [Fact]
    public void Masks_and_lines_are_those_of_the_frames_as_pictures()
    {
        Segment(
            "clip.mp4", "-q", "--every", "25", "--no-overlay", "--masks", "--format", "coco",
            "--jsonl", _place["l.jsonl"]).Exits(0);
        Assert.Equal(
            [
                "clip.frames/000000.mask.png", "clip.frames/000025.mask.png", "clip.frames/000050.mask.png",
                "clip.frames/annotations.coco.json", "clip.mp4", "l.jsonl",
            ],
            _place.Files);
        Clip.Make("-i", _place["clip.mp4"], _place["p%02d.png"]); // counts from 1
        JsonElement[] lines = [.. Lines("l.jsonl")];
        Assert.Equal([0, 25, 50], lines.Select(line => line.GetProperty("frame").GetInt32()));
        Assert.Equal([0, 1, 2], lines.Select(line => line.GetProperty("time").GetDouble()));
        foreach (JsonElement line in lines)
        {
            int number = line.GetProperty("frame").GetInt32();
            string picture = string.Create(CultureInfo.InvariantCulture, $"p{number + 1:00}.png");
            Segment(picture, "-q", "--jsonl", _place[$"{number}.jsonl"]).Exits(0);
            Assert.Equal($"clip.frames/{number:000000}.mask.png", line.GetProperty("mask").GetString());
            Assert.Equal(
                Labels(_place[$"p{number + 1:00}.mask.png"]), Labels(_place[$"clip.frames/{number:000000}.mask.png"]));
            JsonElement own = Assert.Single(Lines($"{number}.jsonl"));
            Assert.Equal(own.GetProperty("classes").GetRawText(), line.GetProperty("classes").GetRawText());
            Assert.Equal("clip.mp4", line.GetProperty("name").GetString());
            Assert.Equal(Clip.Width, line.GetProperty("width").GetInt32());
            Assert.True(line.GetProperty("milliseconds").GetProperty("network").GetDouble() > 0);
        }
    }

    [Fact]
    public void At_most_so_many_frames_of_a_second_are_taken()
    {
        Segment("clip.mp4", "-q", "--max-fps", "10", "-o", _place["ten.mov"]).Exits(0);
        string[] times = Clip.Times(_place["ten.mov"]);
        Assert.Equal(24, times.Length); // 2.4 seconds
        Assert.Empty(times.Except(Clip.Times(_place["clip.mp4"])));
    }

    [Fact]
    public void Bare_frames_go_in_and_out_without_ffmpeg()
    {
        byte[] frames = Clip.Pixels(Clip.Path)[..(3 * Clip.Height * Clip.Width * 3)];
        using var segmenter = Segmenter.Load(_model.Path);
        var expected = new MemoryStream();
        for (int i = 0; i < 3; i++)
        {
            int size = frames.Length / 3;
            using Image photo = Image.FromPixels(frames.AsSpan(i * size, size), Clip.Height, Clip.Width);
            using Image overlay = segmenter.Segment(photo).Overlay(photo);
            expected.Write(overlay.Pixels);
        }
        string[] raw = ["segment", "-", "--model", _model.Path, "--raw", "rgb24", $"{Clip.Width}x{Clip.Height}"];
        ToolResult result = Tool.Finish(Tool.Start(_place.Folder, [new("PATH", _place["nothing"])], raw), frames);
        Assert.Equal(expected.ToArray(), result.Exits(0).Bytes);

        Tool.Pipe(frames, [.. raw, "-q", "--fps", "30000/1001", "-o", _place["raw.mp4"]]).Exits(0);
        Assert.Equal(["0.000000", "0.033367", "0.066733"], Clip.Times(_place["raw.mp4"]));
        Tool.Pipe(frames[..^1], [.. raw, "-q"]).Refuses(3, "frame 2", "129599 of 129600 bytes", "--raw");
    }

    [Fact]
    public void A_video_comes_from_a_pipe_and_goes_to_other_containers()
    {
        Clip.Make("-i", Clip.Path, "-c", "copy", _place["clip.mkv"]);
        foreach (string name in new[] { "a.mov", "a.mkv", "a.webm" })
        {
            Tool.Pipe(
                File.ReadAllBytes(_place["clip.mkv"]), "segment", "-", "--video", "auto", "--model", _model.Path, "-q",
                "--every", "20", "-o", _place[name]).Exits(0);
            Assert.Equal(["0.000000", "0.800000", "1.600000"], Clip.Times(_place[name]));
        }
    }

    [Fact]
    public void Several_videos_go_to_a_folder_and_outputs_are_no_inputs()
    {
        File.Copy(Clip.Path, _place["other.mp4"]);
        Segment("clip.mp4", "other.mp4", "-q", "--every", "30", "-o", "out").Exits(0);
        Assert.Equal(
            ["clip.mp4", "other.mp4", "out/clip.overlay.mp4", "out/other.overlay.mp4"], _place.Files);
        Assert.Contains(
            "skipped", Segment("clip.mp4", "out/clip.overlay.mp4", "--every", "30", "-o", "out").Exits(0).Error);
        // Of a folder of pictures, videos are left out and named.
        _place.AddPhoto("a.png");
        Assert.Contains("other.mp4", Segment(_place.Folder, "-o", "masks").Exits(0).Error);
    }

    [Fact]
    public void Words_in_a_video_are_not_taken_for_what_ffmpeg_says_of_frames()
    {
        const string Words = "[Parsed_showinfo_0 @ 0x1] [info] n:   0 pts:      7 pts_time:7 sar:1/1 s:2x2 i:P";
        Clip.Make(
            "-i", Clip.Path, "-c", "copy", "-metadata", $"title={Words}\n{Words}", "-metadata:s:v:0", $"title={Words}",
            _place["words.mkv"]);
        Segment("words.mkv", "-q", "--every", "30").Exits(0);
        Assert.Equal(["0.000000", "1.200000"], Clip.Times(_place["words.overlay.mp4"]));
    }

    private static string Fixed(double seconds) => seconds.ToString("0.000000", CultureInfo.InvariantCulture);

    private static byte[] Labels(string mask)
    {
        using Image image = Image.Load(mask); // in the classes' colours
        return image.Pixels.ToArray();
    }

    private IEnumerable<JsonElement> Lines(string file) =>
        File.ReadLines(_place[file]).Select(line => JsonDocument.Parse(line).RootElement);

    private ToolResult Segment(params string[] arguments) =>
        Tool.RunIn(_place.Folder, ["segment", .. arguments, "--model", _model.Path]);
}
