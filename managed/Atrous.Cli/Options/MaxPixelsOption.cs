using System.CommandLine;
using Atrous.Cli.Output;
using Atrous.Imaging;

namespace Atrous.Cli.Options;

/// <summary>--max-pixels: what a picture's header may claim.</summary>
/// <param name="bands">Whether the command reads large PNGs and TIFFs row by row, where it slides a window.</param>
internal sealed class MaxPixelsOption(bool bands = false)
{
    private const int Million = 1_000_000;

    /// <summary>Of a picture that is read in bands; both sides fit 31 bits.</summary>
    private const int Most = 1_000_000;

    /// <summary>Bytes of a picture that is held are counted in 31 bits, and a pixel has up to 4.</summary>
    private const int MostWhole = int.MaxValue / 4;

    private readonly Option<int?> _millions = new("--max-pixels")
    {
        Description =
            $"Most pixels of a picture, by its header, in millions; {Image.DefaultMaxPixels / Million} unless given, "
            + $"and at most {MostWhole / Million}" + (bands ? " but for a PNG or TIFF with --tile" : ""),
        HelpName = "MILLIONS",
        CustomParser = result => Numbers.Parse(
            result, 1, MostOf(bands), $"a number of millions from 1 to {MostOf(bands)}"),
    };

    private static int MostOf(bool bands) => bands ? Most : MostWhole / Million;

    public void AddTo(ToolCommand command) => command.Add(ToolCommand.Input, _millions);

    /// <summary>The limit in pixels, where one is given.</summary>
    public long? Read(ParseResult result) =>
        result.GetValue(_millions) is { } millions ? (long)millions * Million : null;

    /// <summary>The limit for pictures that are held whole.</summary>
    public static long Whole(long? given) => Math.Min(given ?? Image.DefaultMaxPixels, MostWhole);
}
