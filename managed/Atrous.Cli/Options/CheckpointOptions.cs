using System.CommandLine;
using System.CommandLine.Parsing;
using System.Globalization;
using Atrous.Checkpoints.Dialects;
using Atrous.Cli.Output;

namespace Atrous.Cli.Options;

/// <summary>The options that say what a checkpoint is, where the file itself cannot.</summary>
internal sealed class CheckpointOptions
{
    private readonly Option<int?> _outputStride = new("--output-stride")
    {
        Description = "Input size / backbone output size; the dialect's own unless given",
        HelpName = "8|16|32",
        CustomParser = result => Numbers.Parse(result, 8, 32, "8, 16 or 32"),
    };

    private readonly Option<string?> _dialect = new("--dialect")
    {
        Description = "The training repository's conventions; recognised from the file unless given",
        HelpName = "NAME",
    };

    private readonly Option<string[]> _switches = new("--option")
    {
        Description = "A switch of the dialect that the file cannot tell; `atrous info` lists them. May be repeated",
        HelpName = "NAME=VALUE",
        Arity = ArgumentArity.OneOrMore,
    };

    private readonly Option<string?> _threshold = new("--threshold")
    {
        Description =
            "Above which probability a pixel is foreground, for a network of one class; its code's own unless given",
        HelpName = "P",
    };

    private readonly Option<bool> _multiLabel = new("--multilabel")
    {
        Description =
            "Each class has a sigmoid of its own: a pixel is of every class above the threshold, or of none",
    };

    public void AddTo(ToolCommand command) =>
        command.Add(ToolCommand.Model, _outputStride, _dialect, _switches, _threshold, _multiLabel);

    /// <exception cref="CommandException">A switch is not NAME=VALUE, or is given twice.</exception>
    public SegmenterOptions Read(ParseResult result) => Read(result, new SegmenterOptions());

    /// <summary>The options with what the checkpoint is filled in.</summary>
    /// <inheritdoc cref="Read(ParseResult)" path="/exception"/>
    public SegmenterOptions Read(ParseResult result, SegmenterOptions options)
    {
        var switches = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (string given in result.GetValue(_switches) ?? [])
        {
            int equals = given.IndexOf('=', StringComparison.Ordinal);
            if (equals < 1)
                throw CommandException.Usage($"--option takes NAME=VALUE, not '{given}'.");
            if (!switches.TryAdd(given[..equals], given[(equals + 1)..]))
                throw CommandException.Usage($"--option {given[..equals]} is given twice.");
        }
        if (result.GetValue(_threshold) is { } threshold && !switches.TryAdd(DialectChoice.Threshold, threshold))
            throw CommandException.Usage("--threshold and --option threshold=... are the same; give one of them.");
        if (result.GetValue(_multiLabel) && !switches.TryAdd(DialectChoice.MultiLabel, "true"))
            throw CommandException.Usage("--multilabel and --option multilabel=... are the same; give one of them.");
        // Those that the configuration has besides stay.
        var all = new Dictionary<string, string>(options.Switches, StringComparer.Ordinal);
        foreach ((string name, string value) in switches)
            all[name] = value;
        return options with
        {
            OutputStride = result.GetValue(_outputStride) ?? options.OutputStride,
            Dialect = result.GetValue(_dialect) ?? options.Dialect,
            Switches = all,
        };
    }
}
