using System.CommandLine;
using Atrous.Cli.Batches;
using Atrous.Cli.Options;

namespace Atrous.Cli.Evaluating;

/// <summary>The options of an <see cref="EvalBatch"/>.</summary>
internal sealed class EvalBatchOptions
{
    private readonly Option<Shard?> _shard = BatchOptions.ShardOption("--images");

    private readonly Option<bool> _skipExisting = new("--skip-existing")
    {
        Description =
            "Take what --jsonl has of a picture that was scored before, with the same label map, model and options",
    };

    private readonly Option<string?> _lines = new("--jsonl")
    {
        Description =
            "Also append a line of JSON for each picture, with its part of the confusion matrix, which `atrous merge` "
            + "adds up; a bad picture gets a line too, and the others go on",
        HelpName = "FILE",
    };

    private readonly Option<int?> _retries = BatchOptions.RetriesOption();

    public void AddTo(ToolCommand command)
    {
        command.Add(ToolCommand.Input, _shard);
        command.Add(ToolCommand.Output, _skipExisting, _lines, _retries);
    }

    public EvalBatch Read(ParseResult result) => new(
        result.GetValue(_shard), result.GetValue(_skipExisting), result.GetValue(_lines),
        result.GetValue(_retries) ?? 0);
}
