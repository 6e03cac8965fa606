using System.CommandLine.Parsing;
using System.Globalization;

namespace Atrous.Cli.Output;

/// <summary>Numbers on the command line and for people.</summary>
internal static class Numbers
{
    /// <summary>The longest side that an option takes.</summary>
    public const int LargestSide = 16384;

    /// <summary>A whole number within bounds; an error on the result otherwise.</summary>
    public static int? Parse(ArgumentResult result, int least, int most, string expected)
    {
        string text = result.Tokens[0].Value;
        if (int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out int number) && number >= least
            && number <= most)
            return number;
        result.AddError($"{Name(result)} takes {expected}, not '{text}'.");
        return null;
    }

    /// <summary>A number between 0 and 1, or a lower bound; an error on the result otherwise.</summary>
    public static double ParseFraction(ArgumentResult result, double most = 1)
    {
        string text = result.Tokens[0].Value;
        if (double.TryParse(text, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out double number)
            && number >= 0 && number <= most)
            return number;
        result.AddError(
            string.Create(
                CultureInfo.InvariantCulture, $"{Name(result)} takes a number from 0 to {most}, not '{text}'."));
        return 0;
    }

    /// <summary>HEIGHTxWIDTH; an error on the result otherwise.</summary>
    public static (int Height, int Width) ParseSize(ArgumentResult result)
    {
        string text = result.Tokens[0].Value;
        if (!TryParseSize(text, out (int Height, int Width) size))
            result.AddError(
                $"{Name(result)} takes HEIGHTxWIDTH with sides from 1 to {LargestSide}, such as 513x513, not " +
                $"'{text}'.");
        return size;
    }

    /// <summary>HEIGHTxWIDTH.</summary>
    public static bool TryParseSize(string text, out (int Height, int Width) size)
    {
        string[] sides = text.Split('x');
        size = default;
        if (sides.Length != 2 || !TryParseSide(sides[0], out int height) || !TryParseSide(sides[1], out int width))
            return false;
        size = (height, width);
        return true;
    }

    /// <summary>Pixels along one side.</summary>
    public static bool TryParseSide(string text, out int side) =>
        int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out side)
        && side is >= 1 and <= LargestSide;

    /// <summary>"58,754,773".</summary>
    public static string Grouped(long number) => number.ToString("N0", CultureInfo.InvariantCulture);

    /// <summary>"70.6 G".</summary>
    public static string Short(long number) => number switch
    {
        >= 1_000_000_000 => (number / 1e9).ToString("0.0#", CultureInfo.InvariantCulture) + " G",
        >= 1_000_000 => (number / 1e6).ToString("0.0#", CultureInfo.InvariantCulture) + " M",
        _ => Grouped(number),
    };

    /// <summary>"168.3 MB", of a million bytes each.</summary>
    public static string Megabytes(long bytes) => (bytes / 1e6).ToString("0.0", CultureInfo.InvariantCulture) + " MB";

    /// <summary>"12,345 m²".</summary>
    public static string SquareMetres(double area) =>
        area.ToString(area < 100 ? "N2" : "N0", CultureInfo.InvariantCulture) + " m²";

    /// <summary>"12.3 %".</summary>
    public static string Percent(double share) => (share * 100).ToString("0.0", CultureInfo.InvariantCulture) + " %";

    /// <summary>"12 %".</summary>
    public static string WholePercent(double share) =>
        (share * 100).ToString("0", CultureInfo.InvariantCulture) + " %";

    /// <summary>"0.485,0.456,0.406": as an option takes them, with all digits that count.</summary>
    public static string List(IEnumerable<float> numbers) =>
        string.Join(',', numbers.Select(number => number.ToString("R", CultureInfo.InvariantCulture)));

    private static string Name(ArgumentResult result) =>
        (result.Parent as OptionResult)?.Option.Name ?? result.Argument.Name;
}
