using System.Globalization;
using System.Text.RegularExpressions;
using Atrous.Cli.Options;
using Atrous.Evaluation;
using Atrous.Postprocessing;

namespace Atrous.Cli.Evaluating;

/// <summary>--map: "shift=N", or a file of lines that say what a label, or a colour, is.</summary>
internal static partial class LabelMapFile
{
    private const int MaxBytes = 1 << 20;

    private const string Expected =
        "a line is LABEL CLASS, #rrggbb CLASS, R G B CLASS, shift N, or * CLASS for all others, where CLASS is a " +
        "number or 'ignore'";

    /// <param name="given">As it stands behind the option.</param>
    /// <exception cref="CommandException">The file cannot be read, or a line says nothing.</exception>
    public static LabelRules Read(string given)
    {
        if (given.StartsWith("shift=", StringComparison.OrdinalIgnoreCase))
            return new LabelRules { Shift = ShiftOf(given["shift=".Length..], "--map") };
        string[] lines = TextFile.ReadLines(given, "--map", "a list of labels", MaxBytes, ExitCode.Usage);
        var labels = new Dictionary<int, int>();
        var colours = new Dictionary<Rgb, int>();
        int? shift = null, rest = null;
        for (int i = 0; i < lines.Length; i++)
        {
            string where = $"{given}: line {i + 1}";
            string[] words = Comment().Replace(lines[i], "").Split(
                [' ', '\t', ',', ';', '=', ':', '\r'], StringSplitOptions.RemoveEmptyEntries);
            bool fresh = words switch
            {
                [] => true,
                ["shift", var by] => Set(ref shift, ShiftOf(by, where)),
                ["*", var to] => Set(ref rest, ClassOf(to, where)),
                [['#', ..] colour, var to] => colours.TryAdd(Hex(colour, where), ClassOf(to, where)),
                [var label, var to] => labels.TryAdd(
                    Number(label, ushort.MaxValue, where), ClassOf(to, where)),
                [var red, var green, var blue, var to] => colours.TryAdd(
                    new Rgb(Byte(red, where), Byte(green, where), Byte(blue, where)), ClassOf(to, where)),
                _ => throw CommandException.Usage($"{where} is not understood; {Expected}."),
            };
            if (!fresh)
                throw CommandException.Usage($"{where} says a second time what {words[0]} is; keep one of them.");
        }
        return labels.Count + colours.Count > 0 || shift is not null
            ? new LabelRules { Labels = labels, Colours = colours, Shift = shift, Rest = rest }
            : throw CommandException.Usage($"{given}: the file names no label; {Expected}.");
    }

    private static bool Set(ref int? value, int to)
    {
        bool fresh = value is null;
        value = to;
        return fresh;
    }

    private static int ShiftOf(string text, string where) =>
        int.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out int shift)
            && Math.Abs((long)shift) <= ushort.MaxValue
            ? shift
            : throw CommandException.Usage($"{where}: a shift is a whole number such as -1, not '{text}'.");

    private static int ClassOf(string text, string where) =>
        text.Equals("ignore", StringComparison.OrdinalIgnoreCase) || text == "-1"
            ? LabelMapping.Ignored
            : Number(text, ushort.MaxValue - 1, where);

    private static Rgb Hex(string text, string where) =>
        text.Length == 7 && int.TryParse(
            text.AsSpan(1), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out int hex)
            ? Rgb.FromHex(hex)
            : throw CommandException.Usage($"{where}: '{text}' is no colour; {Expected}.");

    private static byte Byte(string text, string where) => (byte)Number(text, byte.MaxValue, where);

    private static int Number(string text, int most, string where) =>
        int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out int number) && number <= most
            ? number
            : throw CommandException.Usage($"{where}: '{text}' is no number from 0 to {most}; {Expected}.");

    /// <summary>From a # that begins no colour to the end of the line.</summary>
    [GeneratedRegex("#(?![0-9A-Fa-f]{6}\\b).*$")]
    private static partial Regex Comment();
}
