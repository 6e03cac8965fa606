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
    private const int MaxBytes = 1 << 20;

    /// <exception cref="CommandException">The file cannot be read, or a line is no class.</exception>
    public static ClassesFile Read(string path)
    {
        string[] lines = Lines(path);
        var names = new string[lines.Length];
        var colours = new Rgb?[lines.Length];
        for (int i = 0; i < lines.Length; i++)
            (names[i], colours[i]) = Class(path, i + 1, lines[i].Trim());
        if (names.Length == 0)
            throw CommandException.Usage($"{path}: the file names no class.");
        return new ClassesFile(names, colours.All(colour => colour is null) ? null : PaletteOf(colours));
    }

    private static string[] Lines(string path)
    {
        try
        {
            if (new FileInfo(path) is { Exists: true, Length: > MaxBytes })
                throw CommandException.Usage($"{path}: the file is too large for a list of class names.");
            // Only the last lines may be blank: in between, a class would be lost.
            string text = File.ReadAllText(path).TrimEnd();
            return text.Length == 0 ? [] : text.Split('\n');
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
        {
            throw new CommandException(
                ExitCode.Usage, $"{path}: there is no such file; check the path given with --classes.", e);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new CommandException(
                ExitCode.Usage, $"{path}: the file cannot be read ({e.Message.TrimEnd('.')}).", e);
        }
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
        return text.Length > 0
            ? (text, colour)
            : throw CommandException.Usage($"{path}: line {line} has no class name.");
    }

    private static Palette PaletteOf(Rgb?[] colours)
    {
        Rgb[] used = [.. colours.Take(Palette.MaxColours).Select((colour, label) => colour ?? Palette.Default[label])];
        return new Palette(used);
    }
}
