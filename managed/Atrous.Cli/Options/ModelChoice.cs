using System.CommandLine;
using Atrous.Catalog;

namespace Atrous.Cli.Options;

/// <summary>The model that a command works on: the one that was given, or the one in the box.</summary>
internal sealed record ModelChoice
{
    private const string Description =
        "The checkpoint: a file (.safetensors, .pth, .pt, .ckpt, .pkl), a folder with config.json, or a name that " +
        "`atrous models` lists";

    private ModelChoice(string given) => Path = ModelPath.Resolve(given);

    /// <summary>As the library takes it.</summary>
    public string Path { get; }

    /// <summary>No model was given.</summary>
    public bool IsDefault => Introduction.Length > 0;

    /// <summary>Says which model is used where none was given; empty otherwise.</summary>
    public string Introduction { get; private init; } = "";

    /// <summary>The introduction, where there is one, and what the model is.</summary>
    public string Introduce(string network) => IsDefault ? $"{Introduction}, {network}" : network;

    /// <summary>--model, for commands whose arguments are pictures.</summary>
    public static Option<string?> Option() => new("--model", "-m")
    {
        Description = $"{Description}; {DefaultModel.Name} ({DefaultModel.Summary}) unless given",
        HelpName = "FILE|NAME",
    };

    /// <summary>MODEL, for commands that are about the model.</summary>
    /// <param name="optional">The default model stands in for it.</param>
    public static Argument<string?> Argument(bool optional) => new("MODEL")
    {
        Description = optional ? $"{Description}; {DefaultModel.Name} unless given" : Description,
        Arity = optional ? ArgumentArity.ZeroOrOne : ArgumentArity.ExactlyOne,
    };

    /// <exception cref="ModelException">There is no such model on this machine.</exception>
    public static ModelChoice Of(ParseResult result, Option<string?> option) =>
        Of(result.GetValue(option), option.Name);

    /// <exception cref="ModelException">There is no such model on this machine.</exception>
    public static ModelChoice Of(ParseResult result, Argument<string?> argument) =>
        Of(result.GetValue(argument), argument.Name);

    private static ModelChoice Of(string? given, string name)
    {
        if (given is { Length: 0 })
            throw CommandException.Usage($"{name} is empty; give a file or a name.");
        return new ModelChoice(given ?? DefaultModel.Name)
        {
            Introduction = given is null ? $"no {name} given; {DefaultModel.Name} ({DefaultModel.Summary})" : "",
        };
    }
}
