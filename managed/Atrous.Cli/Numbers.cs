using System.CommandLine.Parsing;
using System.Globalization;

namespace Atrous.Cli;

/// <summary>Numbers on the command line and for people.</summary>
internal static class Numbers
{
    /// <summary>A whole number within bounds; an error on the result otherwise.</summary>
    public static int? Parse(ArgumentResult result, int least, int most, string expected)
    {
        string text = result.Tokens[0].Value;
        if (int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out int number) && number >= least && number <= most)
            return number;
        result.AddError($"{Name(result)} takes {expected}, not '{text}'.");
        return null;
    }

    /// <summary>A number between 0 and 1; an error on the result otherwise.</summary>
    public static double ParseFraction(ArgumentResult result)
    {
        string text = result.Tokens[0].Value;
        if (double.TryParse(text, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out double number) && number is >= 0 and <= 1)
            return number;
        result.AddError($"{Name(result)} takes a number from 0 to 1, not '{text}'.");
        return 0;
    }

    /// <summary>HEIGHTxWIDTH; an error on the result otherwise.</summary>
    public static (int Height, int Width) ParseSize(ArgumentResult result)
    {
        const int most = 16384;
        string text = result.Tokens[0].Value;
        string[] sides = text.Split('x');
        if (sides.Length == 2 && int.TryParse(sides[0], NumberStyles.None, CultureInfo.InvariantCulture, out int height)
            && int.TryParse(sides[1], NumberStyles.None, CultureInfo.InvariantCulture, out int width)
            && height is >= 1 and <= most && width is >= 1 and <= most)
        {
            return (height, width);
        }
        result.AddError($"{Name(result)} takes HEIGHTxWIDTH with sides from 1 to {most}, such as 513x513, not '{text}'.");
        return default;
    }

    /// <summary>"58,754,773".</summary>
    public static string Grouped(long number) => number.ToString("N0", CultureInfo.InvariantCulture);

    /// <summary>"70.6 G".</summary>
    public static string Short(long number) => number switch
    {
        >= 1_000_000_000 => (number / 1e9).ToString("0.0#", CultureInfo.InvariantCulture) + " G",
        >= 1_000_000 => (number / 1e6).ToString("0.0#", CultureInfo.InvariantCulture) + " M",
        _ => Grouped(number),
    };

    /// <summary>"12.3 %".</summary>
    public static string Percent(double share) => (share * 100).ToString("0.0", CultureInfo.InvariantCulture) + " %";

    private static string Name(ArgumentResult result) => (result.Parent as OptionResult)?.Option.Name ?? result.Argument.Name;
}
