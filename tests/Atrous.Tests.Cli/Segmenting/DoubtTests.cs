using Atrous.Tests.Segmenters;

namespace Atrous.Tests.Cli.Segmenting;

/// <summary>What `atrous segment` says of a mask that the model is not sure of.</summary>
public sealed class DoubtTests(GeneratedModel model) : IDisposable
{
    private readonly Workplace _place = new();

    public void Dispose() => _place.Dispose();

    /// <summary>Generated weights know nothing, and say so.</summary>
    [Fact]
    public void A_model_that_knows_nothing_is_asked_about()
    {
        _place.AddPhoto("a.png");
        string[] arguments = ["segment", "a.png", "-m", model.Path];
        ToolResult result = Tool.RunIn(_place.Folder, arguments).Exits(0);
        Assert.Single(result.ErrorLines, line => line.Contains("confidence below 0.8", StringComparison.Ordinal));
        byte[] mask = File.ReadAllBytes(_place["a.mask.png"]);
        Assert.Empty(Tool.RunIn(_place.Folder, [.. arguments, "--quiet"]).Exits(0).ErrorLines);
        Assert.Equal(mask, File.ReadAllBytes(_place["a.mask.png"]));
    }
}
