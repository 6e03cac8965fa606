using System.Globalization;
using Atrous.Postprocessing;

namespace Atrous.Cli.Options;

/// <summary>--classes: one name a line from class 0 on, each with an optional colour "#rrggbb" behind it.</summary>
/// <param name="Names">The classes' names, in the order of their labels.</param>
/// <param name="Palette">
/// The file's colours, the default ones for classes without; null where the file has none.
/// </param>
internal sealed record ClassesFile(IReadOnlyList<string> Names, Palette? Palette)
{
    private const int MaxBytes = 1 << 20, MaxName = 1000;

    /// <exception cref="CommandException">The file cannot be read, or a line is no class.</exception>
    public static ClassesFile Read(string path)
    {
        // Only the last lines may be blank: in between, a class would be lost.
        string text = TextFile.Read(path, "--classes", "a list of class names", MaxBytes, ExitCode.Usage).TrimEnd();
        string[] lines = text.Length == 0 ? [] : text.Split('\n');
        var names = new string[lines.Length];
        var colours = new Rgb?[lines.Length];
        for (int i = 0; i < lines.Length; i++)
            (names[i], colours[i]) = Class(path, i + 1, lines[i].Trim());
        if (names.Length == 0)
            throw CommandException.Usage($"{path}: the file names no class.");
        return new ClassesFile(names, colours.All(colour => colour is null) ? null : PaletteOf(colours));
    }

    private static (string Name, Rgb? Colour) Class(string path, int line, string text)
    {
        int hash = text.LastIndexOf('#');
        Rgb? colour = null;
        if (hash >= 0 && text.Length - hash == 7 && (hash == 0 || char.IsWhiteSpace(text[hash - 1])) &&
            int.TryParse(
                text.AsSpan(hash + 1), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out int hex))
        {
            colour = Rgb.FromHex(hex);
            text = text[..hash].TrimEnd();
        }
        return text.Length is > 0 and <= MaxName
            ? (text, colour)
            : throw CommandException.Usage(text.Length == 0
                ? $"{path}: line {line} has no class name."
                : $"{path}: line {line} has {text.Length} characters; a class name has at most {MaxName}.");
    }

    private static Palette PaletteOf(Rgb?[] colours)
    {
        Rgb[] used = [.. colours.Take(Palette.MaxColours).Select((colour, label) => colour ?? Palette.Default[label])];
        return new Palette(used);
    }
}
