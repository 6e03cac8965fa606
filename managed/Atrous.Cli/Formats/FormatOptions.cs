using System.CommandLine;
using System.CommandLine.Parsing;
using System.Globalization;
using Atrous.Cli.Options;
using Atrous.Cli.Output;
using Atrous.Formats;

namespace Atrous.Cli.Formats;

/// <summary>--format and what it takes: which regions, and how exactly.</summary>
internal sealed class FormatOptions
{
    private readonly Option<string[]> _formats = new("--format")
    {
        Description = $"Also write {string.Join(", ", OutputFormats.Names)}; several with commas",
        HelpName = "NAMES",
        CustomParser = ParseFormats,
    };

    private readonly Option<string[]> _only = new("--only")
    {
        Description = "With --format: the classes that are written, by name or number, with commas",
        HelpName = "CLASSES",
        CustomParser = result => result.Tokens[0].Value.Split(',', StringSplitOptions.TrimEntries),
    };

    private readonly Option<int?> _minArea = new("--min-area")
    {
        Description = "With --format: leaves out regions and holes of fewer pixels",
        HelpName = "PIXELS",
        CustomParser = result => Numbers.Parse(result, 1, int.MaxValue, "a whole number of pixels"),
    };

    private readonly Option<double?> _simplify = new("--simplify")
    {
        Description = "With --format: corners that lie within so many pixels of a straight line are dropped",
        HelpName = "PIXELS",
        CustomParser = ParseTolerance,
    };

    public void AddTo(ToolCommand command) =>
        command.Add(ToolCommand.Output, _formats, _only, _minArea, _simplify);

    /// <exception cref="CommandException">An option is given that needs --format, and there is none.</exception>
    public FormatChoice Read(ParseResult result)
    {
        string[] names = result.GetValue(_formats) ?? [];
        foreach (Option option in (Option[])[_only, _minArea, _simplify])
        {
            if (names.Length == 0 && result.GetResult(option) is not null)
                throw CommandException.Usage($"{option.Name} says what --format writes; give --format as well.");
        }
        return new FormatChoice(
            [.. OutputFormats.OfPicture.Where(format => names.Contains(format.Name))],
            [.. OutputFormats.OfRun.Where(format => names.Contains(format.Name))],
            result.GetValue(_only) is { Length: > 0 } only ? only : null,
            result.GetValue(_minArea) ?? 1,
            result.GetValue(_simplify) ?? 0);
    }

    private static string[] ParseFormats(ArgumentResult result)
    {
        string[] names = result.Tokens[0].Value.Split(',', StringSplitOptions.TrimEntries);
        foreach (string name in names.Where(name => !OutputFormats.Names.Contains(name)))
            result.AddError($"--format takes {string.Join(", ", OutputFormats.Names)}, not '{name}'.");
        return names;
    }

    private static double? ParseTolerance(ArgumentResult result)
    {
        string text = result.Tokens[0].Value;
        if (double.TryParse(text, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out double pixels)
            && pixels <= Numbers.LargestSide)
            return pixels;
        result.AddError($"--simplify takes a number of pixels, such as 1.5, not '{text}'.");
        return null;
    }
}
