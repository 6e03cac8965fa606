using System.Diagnostics;
using System.Text.Json;
using Atrous.Tests.Segmenters;

namespace Atrous.Tests.Cli;

/// <summary>Signals in the middle of a run over many pictures.</summary>
public sealed class InterruptionTests(GeneratedModel model)
{
    private const int Pictures = 400, Height = 193, Width = 257;

    [Theory]
    [InlineData(2, 130)]
    [InlineData(15, 143)]
    [InlineData(1, 129)]
    public void A_signal_stops_the_run_and_leaves_whole_masks_alone(int signal, int code)
    {
        using var place = new Workplace();
        byte[] photo = Workplace.Photo(Height, Width);
        for (int i = 0; i < Pictures; i++)
            place.Add($"in/{i:000}.png", photo);
        Process process = Tool.Start(
            place.Folder, "segment", place["in"], "--model", model.Path, "-o", place["out"], "--overlay", "--json");
        for (long start = Stopwatch.GetTimestamp(); !File.Exists(place["out/001.mask.png"]);)
        {
            Assert.False(process.HasExited);
            Assert.True(Stopwatch.GetElapsedTime(start) < TimeSpan.FromMinutes(2), "no mask was written");
            Thread.Sleep(5);
        }
        Signals.Send(process.Id, signal);
        ToolResult result = Tool.Finish(process, []).Exits(code);

        string[] written = [.. place.Files.Where(file => file.StartsWith("out"))];
        int masks = written.Count(file => file.EndsWith(".mask.png"));
        Assert.InRange(masks, 2, Pictures - 1);
        Assert.Equal(2 * masks, written.Length);
        Assert.All(written.Where(file => file.EndsWith(".mask.png")), file => place.AssertMask(file, Height, Width));
        JsonElement json = result.Json;
        Assert.True(json.GetProperty("interrupted").GetBoolean());
        Assert.Equal(masks, json.GetProperty("segmented").GetInt32());
        Assert.Equal(masks, json.GetProperty("results").GetArrayLength());
        Assert.DoesNotContain("   at ", result.Error);
    }

    [Fact]
    public void A_reader_that_goes_away_is_no_failure()
    {
        using var place = new Workplace();
        place.AddPhoto("a.png");
        Process process = Tool.Start(place.Folder, "segment", place["a.png"], "--model", model.Path, "--json");
        process.StandardOutput.Close();
        Assert.True(process.WaitForExit(TimeSpan.FromMinutes(2)));
        Assert.Equal(0, process.ExitCode);
        Assert.DoesNotContain("   at ", process.StandardError.ReadToEnd());
        process.Dispose();
        place.AssertMask("a.mask.png");
    }
}
