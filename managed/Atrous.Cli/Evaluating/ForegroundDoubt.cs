using Atrous.Evaluation;

namespace Atrous.Cli.Evaluating;

/// <summary>
/// Binary masks for a network of two scores: not one pixel of the second class, where 255 stands in its stead.
/// </summary>
internal static class ForegroundDoubt
{
    /// <exception cref="CommandException">Nobody knows what 255 is.</exception>
    public static void Refuse(ConfusionMatrix matrix)
    {
        if (matrix is { Classes: 2, Ignored: > 0 } && matrix.TruePixels(1) == 0)
        {
            throw new CommandException(
                ExitCode.BadInput,
                "The model has two classes, and the label maps hold 0 and 255 alone: 255 may be the second class "
                + "or what is not scored. Give --map FILE with the lines '0 0' and '255 1' for the first, "
                + "--ignore 255 for the second.");
        }
    }
}
