using System.Globalization;
using Atrous.Cli.Output;
using Atrous.Postprocessing;
using Spectre.Console;

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
        var table = new Table { Border = isRedirected ? TableBorder.None : TableBorder.Rounded };
        table.AddColumns(
            new TableColumn("class").RightAligned(), new TableColumn("name"), new TableColumn("pixels").RightAligned(),
            new TableColumn("share").RightAligned());
        if (picture.Mask.Areas is not null)
            table.AddColumn(new TableColumn("area").RightAligned());
        foreach (ClassShare share in picture.Mask.Shares)
        {
            Text[] row =
            [
                new(share.Label.ToString(CultureInfo.InvariantCulture)),
                new(Terminal.OneLine(picture.Mask.NameOf(share.Label))),
                new(Numbers.Grouped(share.Pixels)), new(Numbers.Percent(share.Share)),
            ];
            table.AddRow(picture.Mask.Areas is { } areas
                ? [.. row, new Text(Numbers.SquareMetres(areas[share.Label]))]
                : row);
        }
        console.Write(table);
        (toStandardError ? Console.Error : Console.Out).WriteLine(Terminal.OneLine(WrittenFiles.Where(Written)));
    }
}
