using System.Diagnostics;
using Atrous.Tests.Segmenters;

namespace Atrous.Tests.Cli;

/// <summary>Inputs that are no files, or cannot be opened by their names: a true sentence, and no waiting.</summary>
public sealed class HostileInputTests(GeneratedModel model) : IDisposable
{
    private readonly Workplace _place = new();

    public void Dispose() => _place.Dispose();

    [Fact]
    public void A_pipe_in_a_folder_is_left_out_and_counted()
    {
        _place.AddPhoto("in/a.png");
        Shell("mkfifo in/b.png && ln -s b.png in/c.jpg");
        ToolResult result = Segment("in", "--json").Exits(0);
        string line = Assert.Single(result.ErrorLines, line => line.Contains("left out"));
        Assert.Contains("2 entries are left out", line);
        Assert.Contains("b.png (no regular file)", line);
        Assert.Equal(1, result.Json.GetProperty("segmented").GetInt32());
    }

    [Theory]
    [InlineData("/dev/zero")]
    [InlineData("/proc/self/environ")]
    [InlineData("pipe")]
    public void What_is_no_regular_file_is_not_read(string path)
    {
        Assert.SkipUnless(OperatingSystem.IsLinux() || path == "pipe", "a path of Linux");
        Shell("mkfifo pipe && mkdir model && ln -s ../pipe model/config.json && touch model/model.safetensors");
        _place.AddPhoto("a.png");
        const string words = "a pipe, a socket or a device";
        Segment(path, "-q").Refuses(3, path, words);
        Segment("a.png", "-q", "--classes", path).Refuses(2, path, words);
        Tool.RunIn(_place.Folder, "info", path).Refuses(3, path, words);
        Tool.RunIn(_place.Folder, "info", "model").Refuses(3, "config.json", words);
        Process models = Tool.Start(_place.Folder, [KeyValuePair.Create("ATROUS_CATALOG", path)], "models");
        Tool.Finish(models, []).Refuses(2, path, words);
    }

    [Theory]
    [InlineData("road\nsky\u0000\n", "line 2 has a control character (code 0)")]
    [InlineData("road\n\u00ff\n", "not in UTF-8")]
    [InlineData("{long}\n", "line 1 has 1001 characters")]
    public void A_list_of_classes_is_text(string text, string words)
    {
        _place.AddPhoto("a.png");
        text = text.Replace("{long}", new string('x', 1001), StringComparison.Ordinal);
        _place.Add("classes.txt", System.Text.Encoding.Latin1.GetBytes(text));
        Segment("a.png", "-q", "--classes", "classes.txt").Refuses(2, "classes.txt", words);
    }

    [Fact]
    public void Closed_standard_input_is_said()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "no shell");
        ToolResult result = InShell("exec \"$0\" segment - -q -o mask.png --model \"$1\" <&-");
        result.Refuses(3, "standard input is closed");
    }

    [Fact]
    public void A_working_directory_that_was_deleted_is_said()
    {
        _place.AddPhoto("a.png");
        ToolResult result = InShell(
            "mkdir gone && cd gone && rmdir ../gone && exec \"$0\" segment a.png -q --model \"$1\"").Exits(3);
        Assert.Contains("the working directory does not exist any more", result.Error);
        Assert.DoesNotContain("   at ", result.Error);
        InShell("mkdir gone && cd gone && rmdir ../gone && exec \"$0\" version").Exits(0);
    }

    [Fact]
    public void A_name_that_is_not_utf_8_is_said()
    {
        _place.AddPhoto("in/a.png");
        Shell("cp in/a.png \"$(printf 'in/b\\377.png')\"");
        ToolResult result = Segment("in", "--json").Exits(0);
        Assert.Contains("its name is not UTF-8; rename it", result.Error);
        Assert.Equal(1, result.Json.GetProperty("segmented").GetInt32());
        InShell("exec \"$0\" segment \"$(printf 'in/b\\377.png')\" -q --model \"$1\"")
            .Refuses(3, "its name is not UTF-8");
        Shell("rm -r in"); // which .NET cannot
    }

    [Fact]
    public void What_a_killed_run_left_is_swept_by_the_next_one()
    {
        _place.AddPhoto("a.png");
        Directory.CreateDirectory(_place["out"]);
        string? name = null;
        using (var watcher = new FileSystemWatcher(_place["out"], ".atrous-*"))
        {
            var seen = new ManualResetEventSlim();
            watcher.Created += (_, created) =>
            {
                name ??= created.Name;
                seen.Set();
            };
            watcher.EnableRaisingEvents = true;
            Segment("a.png", "-q", "-o", "out/mask.png").Exits(0);
            Assert.True(seen.Wait(TimeSpan.FromMinutes(1)), "no temporary file was seen");
        }
        // ".atrous-PLACE-PROCESS-RANDOM", of a process that has ended, and of one that goes on: this one.
        string[] parts = name!.Split('-');
        string alive = $".atrous-{parts[1]}-{Environment.ProcessId}-x", elsewhere = ".atrous-elsewhere-1-x";
        foreach (string left in new[] { name, alive, elsewhere, ".atrous-old" })
            _place.Add("out/" + left, "half a mask");
        File.SetLastWriteTimeUtc(_place["out/.atrous-old"], DateTime.UtcNow.AddDays(-2));
        Segment("a.png", "-q", "-o", "out/mask.png").Exits(0);
        string[] kept = [.. Directory.GetFiles(_place["out"], ".atrous-*").Select(path => Path.GetFileName(path)!)];
        Assert.Equal([alive, elsewhere], kept.OrderBy(path => path == elsewhere));
    }

    private ToolResult Segment(params string[] arguments) =>
        Tool.RunIn(_place.Folder, ["segment", .. arguments, "--model", model.Path]);

    private void Shell(string command)
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "no shell");
        Assert.Equal(0, InShell(command).ExitCode);
    }

    /// <summary>With the tool as $0 and the model as $1.</summary>
    private ToolResult InShell(string command)
    {
        var info = new ProcessStartInfo("/bin/sh", ["-c", command, Tool.Path, model.Path])
        {
            WorkingDirectory = _place.Folder,
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        return Tool.Finish(Process.Start(info)!, []);
    }
}
