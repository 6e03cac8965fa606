using System.CommandLine;
using System.CommandLine.Parsing;
using System.Globalization;

namespace Atrous.Cli.Options;

/// <summary>--bands and --white: what a TIFF of many bands shows to the network.</summary>
internal sealed class RasterOptions
{
    private const int MostBands = 64;

    private readonly Option<int[]?> _bands = new("--bands")
    {
        Description =
            "Of a TIFF: the bands that the network takes, in its order (red, green, blue where it takes colours), "
            + "counted from 1",
        HelpName = "A,B,C",
        Arity = ArgumentArity.ExactlyOne,
        CustomParser = ParseBands,
    };

    private readonly Option<double?> _white = new("--white")
    {
        Description =
            "Of a TIFF: the sample that stands for white, 1 on pixels from 0 to 1; the largest of 8 or 16 bits unless "
            + "given",
        HelpName = "VALUE",
        CustomParser = ParseWhite,
    };

    public void AddTo(ToolCommand command) => command.Add(ToolCommand.Input, _bands, _white);

    public RasterChoice Read(ParseResult result) => new(
        result.GetValue(_bands) is { Length: > 0 } bands ? bands : null, result.GetValue(_white));

    private static int[]? ParseBands(ArgumentResult result)
    {
        string text = result.Tokens[0].Value;
        var bands = new List<int>();
        foreach (string part in text.Split(','))
        {
            if (!int.TryParse(part, NumberStyles.None, CultureInfo.InvariantCulture, out int band)
                || band is < 1 or > MostBands || bands.Count == MostBands)
            {
                result.AddError(
                    $"--bands takes numbers of bands from 1 to {MostBands} with commas between, not '{text}'.");
                return null;
            }
            bands.Add(band);
        }
        return [.. bands];
    }

    private static double? ParseWhite(ArgumentResult result)
    {
        string text = result.Tokens[0].Value;
        if (double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out double white)
            && white is > 1e-6 and < 1e9)
            return white;
        result.AddError($"--white takes a number above 0, such as 1 or 10000, not '{text}'.");
        return null;
    }
}
