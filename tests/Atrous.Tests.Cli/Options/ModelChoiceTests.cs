using System.Text.RegularExpressions;

namespace Atrous.Tests.Cli.Options;

/// <summary>Commands without a model take the one in the box, and say so.</summary>
public sealed class ModelChoiceTests
{
    private const string Said = "given; atrous-street (11 road-scene classes)";

    [Fact]
    public void Segment_says_which_model_it_took()
    {
        using var place = new Workplace();
        string photo = place.AddPhoto("a.png");
        ToolResult result = Tool.Run("segment", photo).Exits(0);
        Assert.Matches($"^atrous: no --model {Regex.Escape(Said)}, DeepLabV3\\+ with .* on cpu, fp32$",
            result.ErrorLines[0]);
        byte[] mask = place.AssertMask("a.mask.png");

        ToolResult named = Tool.Run("segment", photo, "--model", "atrous-street").Exits(0);
        Assert.DoesNotContain("given", named.Error);
        Assert.Equal(mask, place.AssertMask("a.mask.png"));
        Assert.Empty(Tool.Run("segment", photo, "--quiet").Exits(0).Error);
    }

    [Fact]
    public void Info_says_which_model_it_took()
    {
        ToolResult result = Tool.Run("info", "--json").Exits(0);
        Assert.Equal($"atrous: no MODEL {Said}.", Assert.Single(result.ErrorLines));
        Assert.Equal(11, result.Json.GetProperty("classes").GetInt32());
    }
}
