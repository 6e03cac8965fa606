using System.Diagnostics;
using System.Globalization;
using System.Text.RegularExpressions;
using Atrous.Postprocessing;
using Atrous.Tests.Segmenters;

namespace Atrous.Tests.Cli.Segmenting;

/// <summary>`atrous segment` on a terminal, which util-linux's `script` is one of.</summary>
public sealed partial class TerminalTests(GeneratedModel model) : IDisposable
{
    private readonly Workplace _place = new();

    public void Dispose() => _place.Dispose();

    [Fact]
    public void The_table_has_a_swatch_of_each_class()
    {
        Assert.SkipUnless(File.Exists("/usr/bin/script"), "There is no `script` here (apt-get install bsdutils)");
        _place.AddPhoto("a.png");
        string shown = OnTerminal("xterm-256color").Output;
        var shares = Segmentation.FromLabels(
            LabelImage.Load(_place["a.mask.png"]).Labels.ToArray(), 33, 37, 5).Shares;
        Assert.Equal(
            shares.Select(share => Palette.Default[share.Label]),
            Swatch().Matches(shown).Select(match => new Rgb(Part(match, 1), Part(match, 2), Part(match, 3))));
        // Where no colours are wanted there are none.
        Assert.DoesNotContain("\u2588\u2588", OnTerminal("dumb").Output);

        static byte Part(Match match, int group) =>
            byte.Parse(match.Groups[group].Value, CultureInfo.InvariantCulture);
    }

    private ToolResult OnTerminal(string kind)
    {
        var start = new ProcessStartInfo(
            "/usr/bin/script",
            ["-qec", $"stty cols 100; '{Tool.Path}' segment a.png -m '{model.Path}'", "/dev/null"])
        {
            WorkingDirectory = _place.Folder,
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        start.Environment["TERM"] = kind;
        start.Environment["COLORTERM"] = kind == "dumb" ? "" : "truecolor";
        start.Environment.Remove("NO_COLOR");
        return Tool.Finish(Process.Start(start)!, []).Exits(0);
    }

    [GeneratedRegex("\u001b\\[38;2;(\\d+);(\\d+);(\\d+)m\u2588\u2588")]
    private static partial Regex Swatch();
}
