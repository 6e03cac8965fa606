using System.Text.RegularExpressions;
using Atrous.Graph;
using Atrous.Specs;

namespace Atrous.Checkpoints.Dialects;

/// <summary>What the networks of Hugging Face's transformers share.</summary>
internal static class HuggingFaceConfig
{
    /// <summary>The activation that config.json names, or the class's own where it names none.</summary>
    /// <exception cref="ModelException">It is none of those that there are.</exception>
    public static Activation Activation(
        JsonFacts config, Activation standard, params (string Name, Activation Activation)[] known)
    {
        if (config.Text("hidden_act") is not { } name)
            return standard;
        foreach ((string Name, Activation Activation) row in known)
        {
            if (row.Name == name)
                return row.Activation;
        }
        throw config.Wrong(
            "hidden_act",
            "is an activation that Atrous does not have here; it has "
            + string.Join(", ", known.Select(row => row.Name)));
    }

    /// <summary>What config.json adds to a variance, or what the class adds where it says nothing.</summary>
    /// <exception cref="ModelException">There would be no root of the sum.</exception>
    public static double Epsilon(JsonFacts config, double standard)
    {
        const string key = "layer_norm_eps";
        double epsilon = config.Real(key) ?? standard;
        return epsilon > 0 && (float)epsilon is > 0 and < float.PositiveInfinity
            ? epsilon
            : throw config.Wrong(key, "is not above 0");
    }

    /// <summary>The names in config.json, or VOC's where the published networks have as many classes.</summary>
    public static IReadOnlyList<string> ClassNamesOf(ICheckpoint checkpoint, int classes) =>
        checkpoint.ConfigClassNames(classes) is { Length: > 0 } names
            ? names
            : ClassNames.OfSize(classes, ClassNames.Voc);

    /// <summary>A layer whose convolution and norm are parts of a module.</summary>
    public static NameMap.Row Module(string pattern, Func<Match, string> name) =>
        HeadNames.Parts(pattern, name, ".convolution", ".normalization");
}
