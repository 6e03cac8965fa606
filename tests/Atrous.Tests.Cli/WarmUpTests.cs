using Atrous.Cli;
using Atrous.Tests.Segmenters;

namespace Atrous.Tests.Cli;

/// <summary>What goes before the first mask may save time and nothing else.</summary>
public sealed class WarmUpTests(GeneratedModel model)
{
    /// <summary>
    /// In the tool nobody would see it fail: the first mask would be late again. Leaks are seen by
    /// <see cref="Support.LeakCheckAttribute"/>.
    /// </summary>
    [Fact]
    public void It_reaches_its_end() => WarmUp.Run();

    /// <summary>A process with one processor has none.</summary>
    [Fact]
    public void It_changes_no_output()
    {
        using var place = new Workplace();
        string photo = place.AddPhoto("a.png");
        ToolResult[] results =
            [.. new[] { "1", "2" }.Select(
                processors => Segment(place, photo, "DOTNET_PROCESSOR_COUNT", processors).Exits(0))];
        Assert.NotEmpty(results[0].Bytes);
        Assert.Equal(results[0].Bytes, results[1].Bytes);
        Assert.Equal(results[0].Error, results[1].Error);
    }

    [Fact]
    public void Its_failure_is_told_once_by_the_command()
    {
        using var place = new Workplace();
        Segment(place, place.AddPhoto("a.png"), "ATROUS_ISA", "none").Refuses(2, "ATROUS_ISA=none is not known");
    }

    private ToolResult Segment(Workplace place, string photo, string variable, string value) => Tool.Finish(
        Tool.Start(place.Folder, [new(variable, value)], "segment", photo, "--model", model.Path, "-o", "-"), []);
}
