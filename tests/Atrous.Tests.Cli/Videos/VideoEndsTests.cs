using System.Diagnostics;
using Atrous.Tests.Segmenters;

namespace Atrous.Tests.Cli.Videos;

/// <summary>Videos that end early, outputs that cannot be written, and what is refused.</summary>
public sealed class VideoEndsTests(GeneratedModel model) : IDisposable
{
    private const int SIGINT = 2, SIGTERM = 15;

    private readonly Workplace _place = new();

    public void Dispose() => _place.Dispose();

    [Fact]
    public void Of_a_video_that_is_cut_off_the_frames_that_are_there_are_written()
    {
        Clip.NeedsFfmpeg();
        _place.Add("cut.mp4", File.ReadAllBytes(Clip.Path)[..60000]);
        Segment("cut.mp4", "-q", "--jsonl", "cut.jsonl")
            .Refuses(3, "cut.mp4: the video is cut off or broken", " of 60 frames");
        int frames = Clip.Count(_place["cut.overlay.mp4"]);
        Assert.InRange(frames, 5, Clip.Frames - 5);
        Assert.Equal(frames, File.ReadLines(_place["cut.jsonl"]).Count());
    }

    [Fact]
    public void What_is_no_video_is_bad_input_and_leaves_nothing()
    {
        Clip.NeedsFfmpeg();
        _place.Add("text.mp4", "no video");
        _place.Add("empty.mp4", []);
        string[] before = _place.Files;
        Segment("text.mp4", "-q").Refuses(3, "text.mp4: ffmpeg finds no picture in it");
        Segment("empty.mp4", "-q").Refuses(3, "empty.mp4: ffmpeg finds no picture in it");
        Segment("missing.mp4", "-q").Refuses(3, "missing.mp4: there is no such file");
        Assert.Equal(before, _place.Files);
        // One that is broken does not keep the others from being segmented.
        File.Copy(Clip.Path, _place["clip.mp4"]);
        Segment("text.mp4", "clip.mp4", "-q", "--every", "30").Refuses(3, "text.mp4");
        Assert.Equal(2, Clip.Count(_place["clip.overlay.mp4"]));
    }

    [Fact]
    public void A_playlist_that_calls_itself_a_video_leads_to_no_address()
    {
        Clip.NeedsFfmpeg();
        _place.Add(
            "list.mp4",
            "#EXTM3U\n#EXT-X-TARGETDURATION:3\n#EXTINF:3,\nhttp://127.0.0.1:9/clip.ts\n#EXT-X-ENDLIST\n");
        Segment("list.mp4", "-q").Refuses(3, "list.mp4: ffmpeg finds no picture in it", "'http' not on whitelist");
    }

    [Fact]
    public void Without_ffmpeg_a_sentence_names_the_package()
    {
        Process process = Tool.Start(
            _place.Folder, [new("PATH", _place["nothing"])], "segment", Clip.Path, "--model", model.Path, "-o", "out/");
        Tool.Finish(process, []).Refuses(2, "ffmpeg", "not installed", "apt-get install ffmpeg");
        Assert.Empty(_place.Files);
    }

    [Theory]
    [InlineData(SIGINT, 130)]
    [InlineData(SIGTERM, 143)]
    public void A_signal_ends_the_video_so_that_it_can_be_played(int signal, int code)
    {
        Clip.NeedsFfmpeg();
        Clip.Make("-stream_loop", "50", "-i", Clip.Path, "-c", "copy", _place["long.mp4"]);
        Process process = Tool.Start(
            _place.Folder, "segment", "long.mp4", "--model", model.Path, "--jsonl", "long.jsonl");
        for (long start = Stopwatch.GetTimestamp();
            !File.Exists(_place["long.jsonl"]) || new FileInfo(_place["long.jsonl"]).Length < 5000;)
        {
            Assert.False(process.HasExited);
            Assert.True(Stopwatch.GetElapsedTime(start) < TimeSpan.FromMinutes(2), "no line was written");
            Thread.Sleep(5);
        }
        Signals.Send(process.Id, signal);
        Signals.Send(process.Id, signal); // as the program timeout does, which is no second wish to end it
        ToolResult result = Tool.Finish(process, []).Exits(code);
        int frames = Clip.Count(_place["long.overlay.mp4"]);
        Assert.InRange(frames, 2, 50 * Clip.Frames);
        Assert.Equal(frames, File.ReadLines(_place["long.jsonl"]).Count());
        Assert.Contains($"interrupted after {frames} frames", result.Error);
        Assert.Equal(["long.jsonl", "long.mp4", "long.overlay.mp4"], _place.Files);
    }

    [Fact]
    public void An_output_that_cannot_be_written_is_worth_retrying_and_ends_the_run()
    {
        Clip.NeedsFfmpeg();
        Assert.SkipUnless(OperatingSystem.IsLinux(), "no /dev/full");
        File.Copy(Clip.Path, _place["clip.mp4"]);
        Segment("clip.mp4", "-q", "--no-overlay", "--jsonl", "/dev/full").Refuses(1, "/dev/full", "cannot be written");
        Segment("clip.mp4", "-q", "-o", "/proc/atrous/out.mp4").Refuses(1, "/proc/atrous/out.mp4");
        _place.Add("clip.frames", "in the way");
        Segment("clip.mp4", "-q", "--masks").Refuses(1, "clip.frames", "cannot be written");
        Assert.Equal(["clip.frames", "clip.mp4"], _place.Files);
    }

    [Theory]
    [InlineData("a.mp4 and pictures are two runs", "a.mp4", "a.png")]
    [InlineData("--json is about pictures", "a.mp4", "--json")]
    [InlineData("--shard is about pictures", "a.mp4", "--shard", "0/2")]
    [InlineData("--bands is about pictures", "a.mp4", "--bands", "1,2,3")]
    [InlineData("nothing would be written", "a.mp4", "--no-overlay")]
    [InlineData("contradict", "a.mp4", "--no-overlay", "--overlay")]
    [InlineData("--every is about videos", "a.png", "--every", "3")]
    [InlineData("--every takes", "a.mp4", "--every", "0")]
    [InlineData("--max-fps takes", "a.mp4", "--max-fps", "0")]
    [InlineData("--fps is that of --raw", "a.mp4", "--fps", "25")]
    [InlineData("--raw is about standard input", "a.mp4", "--raw", "rgb24", "4x4")]
    [InlineData("--raw takes rgb24", "-", "--raw", "rgb", "4x4")]
    [InlineData("--fps takes", "-", "--raw", "rgb24", "4x4", "--fps", "0")]
    [InlineData(".mp4, .mov, .mkv or .webm", "a.mp4", "-o", "a.avi")]
    [InlineData("would be overwritten", "a.mp4", "-o", "a.mp4")]
    [InlineData("would be overwritten", "a.mp4", "--jsonl", "a.mp4")]
    [InlineData("is a file; several", "a.mp4", "b.mp4", "-o", "c.mp4")]
    [InlineData("written twice; segment each video in a run of its own, with its own -o", "a.mp4", "a.mkv")]
    [InlineData("written twice; choose another name with --jsonl", "a.mp4", "--jsonl", "a.overlay.mp4")]
    [InlineData("Standard output takes the frames", "a.mp4", "-o", "-", "--masks")]
    [InlineData("standard output", "a.mp4", "-o", "-", "--jsonl", "-")]
    [InlineData("no video among the inputs", "a.overlay.mp4", "-q")]
    [InlineData("is a folder", ".", "--video", "auto")]
    public void What_does_not_go_together_is_refused(string words, params string[] arguments)
    {
        foreach (string name in new[] { "a.mp4", "b.mp4", "a.mkv", "a.overlay.mp4" })
            _place.Add(name, "not looked at");
        string[] before = _place.Files;
        ToolResult result = Tool.RunIn(_place.Folder, ["segment", .. arguments]);
        if (words.StartsWith("a.mp4 and", StringComparison.Ordinal))
            result.Refuses(2, "a.mp4", "a.png", "two runs");
        else
            result.Refuses(2, words);
        Assert.Equal(before, _place.Files);
    }

    private ToolResult Segment(params string[] arguments) =>
        Tool.RunIn(_place.Folder, ["segment", .. arguments, "--model", model.Path]);
}
