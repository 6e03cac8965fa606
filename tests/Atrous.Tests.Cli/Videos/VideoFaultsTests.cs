using System.Diagnostics;
using Atrous.Tests.Segmenters;

namespace Atrous.Tests.Cli.Videos;

/// <summary>Inputs and programs that lead astray: nothing is lost, and nothing waits for ever.</summary>
public sealed class VideoFaultsTests : IDisposable
{
    private const int SIGHUP = 1;

    /// <summary>What showinfo says before the first frame.</summary>
    private const string Config = "[Parsed_showinfo_0 @ 0x1] [info] config in time_base: 1/25, frame_rate: 25/1";

    private readonly GeneratedModel _model;
    private readonly Workplace _place = new();

    public VideoFaultsTests(GeneratedModel model)
    {
        Clip.NeedsFfmpeg();
        Assert.SkipUnless(OperatingSystem.IsLinux(), "pipes, links and signals of Linux");
        _model = model;
        File.Copy(Clip.Path, _place["clip.mp4"]);
    }

    public void Dispose() => _place.Dispose();

    [Fact]
    public void A_terminal_that_closes_leaves_the_earlier_video()
    {
        Clip.Make("-stream_loop", "50", "-i", Clip.Path, "-c", "copy", _place["long.mp4"]);
        _place.Add("long.overlay.mp4", "of an earlier run");
        // A group of its own, which gets the signal as a whole.
        Process process = Process.Start(new ProcessStartInfo(
            "setsid", [Tool.Path, "segment", "long.mp4", "--model", _model.Path, "--jsonl", "l.jsonl"])
        {
            WorkingDirectory = _place.Folder,
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        })!;
        for (long start = Stopwatch.GetTimestamp();
            !File.Exists(_place["l.jsonl"]) || new FileInfo(_place["l.jsonl"]).Length < 5000;)
        {
            Assert.False(process.HasExited);
            Assert.True(Stopwatch.GetElapsedTime(start) < TimeSpan.FromMinutes(2), "no line was written");
            Thread.Sleep(5);
        }
        Signals.Send(-process.Id, SIGHUP);
        ToolResult result = Tool.Finish(process, []).Exits(129);
        Assert.Contains("long.overlay.mp4: ffmpeg cannot write the video", result.Error);
        Assert.DoesNotContain("overlay in", result.Error);
        Assert.Equal("of an earlier run", File.ReadAllText(_place["long.overlay.mp4"]));
        Assert.Equal(["clip.mp4", "l.jsonl", "long.mp4", "long.overlay.mp4"], _place.Files);
    }

    [Fact]
    public void An_output_of_frames_that_fails_leaves_the_video_up_to_there()
    {
        Directory.CreateDirectory(_place["clip.frames/000003.mask.png"]);
        Segment("clip.mp4", "-q", "--masks").Refuses(
            1, "000003.mask.png: this is a folder", "; clip.overlay.mp4 has the frames up to there.");
        Assert.Equal(4, Clip.Count(_place["clip.overlay.mp4"]));
        Assert.Equal(
            [
                "clip.frames/000000.mask.png", "clip.frames/000001.mask.png", "clip.frames/000002.mask.png",
                "clip.mp4", "clip.overlay.mp4",
            ],
            _place.Files);
    }

    [Theory]
    [InlineData("-o", "data/real.mp4")]
    [InlineData("--jsonl", "data/real.mp4")]
    [InlineData("--jsonl", "folder/real.mp4")]
    [InlineData("--jsonl", "link.mp4")]
    public void An_input_behind_a_link_is_not_overwritten(string option, string path)
    {
        _place.Add("data/real.mp4", "not looked at");
        File.CreateSymbolicLink(_place["link.mp4"], "data/real.mp4");
        File.CreateSymbolicLink(_place["in.mp4"], "link.mp4");
        Directory.CreateSymbolicLink(_place["folder"], "data");
        Segment("in.mp4", option, path).Refuses(2, $"{path} is an input and would be overwritten", option);
        Assert.Equal("not looked at", File.ReadAllText(_place["data/real.mp4"]));
    }

    [Fact]
    public void Links_in_a_circle_are_told()
    {
        File.CreateSymbolicLink(_place["a"], "b");
        File.CreateSymbolicLink(_place["b"], "a");
        Segment("clip.mp4", "--jsonl", "a").Refuses(2, "a: the links in it lead in a circle");
    }

    [Fact]
    public void A_named_pipe_is_read_from_its_beginning()
    {
        Clip.Make("-i", Clip.Path, "-c", "copy", _place["clip.mkv"]);
        using Process writer = Shell("mkfifo pipe.mkv && cat clip.mkv > pipe.mkv");
        while (!File.Exists(_place["pipe.mkv"]))
            Thread.Sleep(5);
        Segment("pipe.mkv", "-q", "--every", "30").Exits(0);
        Assert.Equal(["0.000000", "1.200000"], Clip.Times(_place["pipe.overlay.mp4"]));
    }

    [Fact]
    public void A_unit_of_nanoseconds_is_read()
    {
        Clip.Make(
            "-i", Clip.Path, "-frames:v", "20", "-bf", "0", "-video_track_timescale", "1000000000", _place["fine.mov"]);
        Segment("fine.mov", "-q").Exits(0);
        Assert.Equal(["1/1000000000"], Clip.Stream(_place["fine.overlay.mp4"], "time_base"));
        Assert.Equal(Clip.Times(_place["fine.mov"]), Clip.Times(_place["fine.overlay.mp4"]));
    }

    [Fact]
    public void Names_and_titles_are_no_errors()
    {
        Clip.Make(
            "-i", Clip.Path, "-c", "copy", "-metadata", "title=[fatal] x\n[error] y", _place["take [error] 1.mp4"]);
        Segment("take [error] 1.mp4", "-q", "--every", "30").Exits(0);
    }

    [Theory]
    [InlineData("concat")]
    [InlineData("hls")]
    public void A_list_of_other_files_is_no_video(string kind)
    {
        if (kind == "hls")
            Clip.Make("-i", Clip.Path, "-c", "copy", "-f", kind, "-hls_playlist_type", "vod", _place["list.mp4"]);
        else
            _place.Add("list.mp4", "ffconcat version 1.0\nfile clip.mp4\n");
        Segment("list.mp4", "-q").Refuses(3, $"list.mp4: this is no video but a list of other files ({kind})");
        Assert.DoesNotContain("list.overlay.mp4", _place.Files);
        Segment("list.mp4", "-q", "--every", "30", "--video", kind).Exits(0);
        Assert.Equal(2, Clip.Count(_place["list.overlay.mp4"]));
    }

    [Fact]
    public void Bare_video_without_a_frame_is_not_taken_for_another_ffmpeg()
    {
        Clip.Make("-i", Clip.Path, "-frames:v", "2", "-c:v", "rawvideo", "-pix_fmt", "bgr24", _place["bare.avi"]);
        byte[] whole = File.ReadAllBytes(_place["bare.avi"]);
        _place.Add("bare.avi", whole[..(whole.AsSpan().IndexOf("movi"u8) + 26)]);
        Segment("bare.avi", "-q").Refuses(3, "bare.avi: ffmpeg finds no picture in it");
    }

    [Theory]
    [InlineData("ffmpeg told of frame 2 where 1 was next; the outputs end with the 1 frames", Config, 0, 2)]
    [InlineData("in words that are not known here", Config + " (none)")]
    [InlineData("in words that are not known here", "[info] no unit", 0)]
    public void An_ffmpeg_that_tells_of_frames_otherwise_is_stopped(string words, string config, params int[] frames)
    {
        string log = string.Join('\n', frames.Select(frame =>
            $"[Parsed_showinfo_0 @ 0x1] [info] n: {frame} pts: {frame} pts_time:0 sar:1/1 s:32x32 i:P"));
        // It waits for a reader of its pixels, as ffmpeg does.
        Fake($"cat >&2 <<'END'\n{config}\n{log}\n[info] Output #0, rawvideo\nEND\nexec cat /dev/zero");
        SegmentByFake("clip.mp4", "-q", "--no-overlay", "--jsonl", "l.jsonl").Refuses(3, "clip.mp4: ", words);
        Assert.Equal(frames.Length > 1 ? 1 : 0, File.ReadLines(_place["l.jsonl"]).Count());
    }

    [Fact]
    public void An_encoder_that_ends_at_once_leaves_no_file()
    {
        Fake(
            "case \"$*\" in *ivf*) exec <&-; echo '[error] no room' >&2; exit 1;; esac\n"
            + "PATH=${PATH#*:} exec ffmpeg \"$@\"");
        SegmentByFake("clip.mp4", "-q").Refuses(1, "clip.overlay.mp4: ffmpeg cannot write the video (no room)");
        Assert.Equal(["clip.mp4", "fake/ffmpeg"], _place.Files);
    }

    /// <summary>Puts a program into the place that answers for ffmpeg.</summary>
    private void Fake(string script)
    {
        string path = _place.Add(
            "fake/ffmpeg",
            $"#!/bin/sh\ncase \"$*\" in *-version*) echo 'ffmpeg version 5.1'; exit;; esac\n{script}\n");
        if (!OperatingSystem.IsWindows())
            File.SetUnixFileMode(path, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
    }

    private ToolResult SegmentByFake(params string[] arguments) => Tool.Finish(
        Tool.Start(
            _place.Folder, [new("PATH", $"{_place["fake"]}:{Environment.GetEnvironmentVariable("PATH")}")],
            ["segment", .. arguments, "--model", _model.Path]),
        []);

    private Process Shell(string command) =>
        Process.Start(new ProcessStartInfo("sh", ["-c", command]) { WorkingDirectory = _place.Folder })!;

    private ToolResult Segment(params string[] arguments) =>
        Tool.RunIn(_place.Folder, ["segment", .. arguments, "--model", _model.Path]);
}
