using System.Globalization;

namespace Atrous.Formats;

/// <summary>Classes that are wanted, by name or number.</summary>
internal static class WantedClasses
{
    private const int MostNamed = 30;

    /// <summary>All classes of that name in any case, or the one of that number; empty where there is none.</summary>
    public static IReadOnlyList<int> Of(string name, ModelInfo model)
    {
        int[] named = [.. Enumerable.Range(0, model.ClassNames.Count).Where(
            label => model.ClassNames[label].Equals(name, StringComparison.OrdinalIgnoreCase))];
        if (named.Length > 0)
            return named;
        return int.TryParse(name, NumberStyles.None, CultureInfo.InvariantCulture, out int label)
            && label < model.Classes
            ? [label]
            : [];
    }

    /// <summary>What is said of a name that is none of the model's.</summary>
    public static string Unknown(string name, ModelInfo model) => model.ClassNames.Count == 0
        ? $"'{name}' is no class; the model's classes have no names, only numbers from 0 to {model.Classes - 1}."
        : $"'{name}' is no class of the model; it has {string.Join(", ", model.ClassNames.Take(MostNamed))}"
            + $"{(model.ClassNames.Count > MostNamed ? " and more" : "")}.";
}
