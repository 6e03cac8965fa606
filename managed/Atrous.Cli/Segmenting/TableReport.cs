using System.Globalization;
using Atrous.Cli.Output;
using Atrous.Postprocessing;
using Spectre.Console;
using Spectre.Console.Rendering;

namespace Atrous.Cli.Segmenting;

/// <summary>For one picture: its classes by their share of the pixels.</summary>
/// <param name="toStandardError">Standard output carries the mask.</param>
internal sealed class TableReport(bool toStandardError) : SegmentationReport
{
    public override void Skipped(SegmentedPicture picture)
    {
        base.Skipped(picture);
        Terminal.Message($"{picture.Job.Mask} was there");
    }

    public override void Done(SegmentedPicture picture)
    {
        base.Done(picture);
        bool isRedirected = toStandardError ? Console.IsErrorRedirected : Console.IsOutputRedirected;
        IAnsiConsole console = Terminal.Rich(toStandardError ? Console.Error : Console.Out, isRedirected);
        bool hasColours = !isRedirected
            && console.Profile.Capabilities is { Ansi: true, ColorSystem: >= ColorSystem.EightBit };
        var table = new Table { Border = isRedirected ? TableBorder.None : TableBorder.Rounded };
        table.AddColumns(
            new TableColumn("class").RightAligned(), new TableColumn("name"), new TableColumn("pixels").RightAligned(),
            new TableColumn("share").RightAligned());
        if (picture.Mask.Areas is not null)
            table.AddColumn(new TableColumn("area").RightAligned());
        foreach (ClassShare share in picture.Mask.Shares)
        {
            IRenderable[] row =
            [
                new Text(share.Label.ToString(CultureInfo.InvariantCulture)),
                NameOf(picture.Mask, share.Label, hasColours),
                new Text(Numbers.Grouped(share.Pixels)), new Text(Numbers.Percent(share.Share)),
            ];
            table.AddRow(picture.Mask.Areas is { } areas
                ? [.. row, new Text(Numbers.SquareMetres(areas[share.Label]))]
                : row);
        }
        console.Write(table);
        (toStandardError ? Console.Error : Console.Out).WriteLine(Terminal.OneLine(WrittenFiles.Where(Written)));
    }

    /// <summary>On a terminal that can show it, a swatch of the class's colour stands before its name.</summary>
    private static Paragraph NameOf(MaskFacts mask, int label, bool hasColours)
    {
        var name = new Paragraph();
        if (hasColours && mask.Palette is { } palette)
        {
            (byte red, byte green, byte blue) = palette[label];
            name.Append("\u2588\u2588 ", new Style(new Color(red, green, blue)));
        }
        return name.Append(Terminal.OneLine(mask.NameOf(label)));
    }
}
