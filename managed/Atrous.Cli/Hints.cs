namespace Atrous.Cli;

/// <summary>What to type against a failure: the library says what is wrong, and the tool which option helps.</summary>
internal static class Hints
{
    private static readonly (Remedy Remedy, string Hint)[] Table =
    [
        (Remedy.RecogniseDialect, "Leave out --dialect to let Atrous recognise the file."),
        (Remedy.DescribeModel, "`atrous info` tells what was recognised."),
        (Remedy.PullModel, "`atrous pull NAME` fetches it."),
        (Remedy.ListModels, "`atrous models` lists those that there are."),
        (Remedy.SlideWindow, "For a sliding window there is --tile."),
        (Remedy.UseHalfPrecision, "For fp16 there is --precision fp16."),
        (Remedy.ChangePrecision, "For another precision there is --precision."),
        (Remedy.UseCpu, "Use --device cpu to do without it."),
        (Remedy.ChangePort, "For another port there is --port."),
        (Remedy.IgnoreLabel, "For that there is --ignore LABEL."),
        (Remedy.MapLabels, "For that there is --map FILE."),
        (Remedy.MorePixels, "`atrous segment` and `eval` take --max-pixels MILLIONS."),
        (Remedy.ChooseBands, "For that there is --bands, such as --bands 1,2,3."),
        (Remedy.SayWhite, "For that there is --white, such as --white 1 or --white 10000."),
        (Remedy.Quantize, "`atrous quantize MODEL --images DIR -o FILE` does that."),
        (Remedy.Convert, "`atrous convert` writes one."),
    ];

    /// <summary>Sentences to put behind the exception's own, each with a space before it, or nothing.</summary>
    public static string Of(AtrousException exception) => string.Concat(
        Table.Where(row => exception.Remedy.HasFlag(row.Remedy))
            .Select(row => " " + row.Hint.Replace("NAME", exception.ModelName, StringComparison.Ordinal)));
}
