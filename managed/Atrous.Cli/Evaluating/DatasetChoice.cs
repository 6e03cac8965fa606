using Atrous.Evaluation;

namespace Atrous.Cli.Evaluating;

/// <summary>What the options say of a data set.</summary>
/// <param name="Dataset">The public data set; null where none was named.</param>
/// <param name="HasOwnMap">Whether --map was given.</param>
/// <param name="Pictures">The pairs to score.</param>
/// <param name="Rules">What becomes of labels; null where they are classes.</param>
/// <param name="Said">What the data set's name sets; null where none was named.</param>
internal sealed record DatasetChoice(
    Dataset? Dataset, bool HasOwnMap, LabelledPictures Pictures, LabelRules? Rules, string? Said)
{
    /// <summary>The rules for a model; null where labels are classes.</summary>
    /// <param name="classes">How many classes the model has.</param>
    /// <param name="ignore">The label that is not scored.</param>
    /// <param name="asked">Whether the user named it.</param>
    /// <exception cref="CommandException">The model has not the data set's classes.</exception>
    public LabelMapping? MappingFor(int classes, int ignore, bool asked)
    {
        if (Dataset is not null && !HasOwnMap && Dataset.Classes != classes)
        {
            throw Bad(
                $"The model has {classes} classes and {Dataset.Name} {Dataset.Classes}, so that its labels say nothing "
                + "about this model; take a model of that data set, or say with --map which class each label is.");
        }
        if (Rules is null)
            return null;
        if (HasOwnMap && Rules.HighestClass is var highest && highest >= classes && highest != ignore)
            throw Bad($"--map names class {highest}, and the model's go from 0 to {classes - 1}.");
        return new LabelMapping(Rules, classes, ignore, asked);
    }

    private static CommandException Bad(string message) => new(ExitCode.BadInput, message);
}
