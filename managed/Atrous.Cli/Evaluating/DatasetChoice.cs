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
    /// <param name="model">The model, for its classes.</param>
    /// <param name="ignore">The label that is not scored; null for none but what the rules say.</param>
    /// <param name="asked">Whether the user named it.</param>
    /// <exception cref="CommandException">The model has not the data set's classes.</exception>
    public LabelMapping? MappingFor(ModelInfo model, int? ignore, bool asked)
    {
        int classes = model.Classes;
        if (Dataset is not null && !HasOwnMap)
            CheckClasses(Dataset, model);
        if (Rules is null)
            return null;
        if (HasOwnMap && Rules.HighestClass is var highest && highest >= classes && highest != ignore)
            throw Bad($"--map names class {highest}, and the model's go from 0 to {classes - 1}.");
        return new LabelMapping(Rules, classes, ignore, asked);
    }

    private static void CheckClasses(Dataset dataset, ModelInfo model)
    {
        if (dataset.Classes != model.Classes)
        {
            throw Bad(
                $"The model has {model.Classes} classes and {dataset.Name} {dataset.Classes}, so that its labels say "
                + "nothing about this model; take a model of that data set, or say with --map which class each label "
                + "is.");
        }
        // Names are spelt in many ways; one that both have at different places tells that the order is another.
        string[] names = [.. dataset.ClassNames];
        for (int i = 0; i < model.ClassNames.Count && names.Length > 0; i++)
        {
            int at = Array.FindIndex(
                names, name => name.Equals(model.ClassNames[i], StringComparison.OrdinalIgnoreCase));
            if (at >= 0 && at != i)
            {
                throw Bad(
                    $"The model's class {i} is {model.ClassNames[i]}, and {dataset.Name}'s is {names[i]}; say with "
                    + "--map which class each label is.");
            }
        }
    }

    private static CommandException Bad(string message) => new(ExitCode.BadInput, message);
}
