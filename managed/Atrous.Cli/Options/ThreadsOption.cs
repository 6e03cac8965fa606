using System.CommandLine;
using Atrous.Cli.Output;

namespace Atrous.Cli.Options;

/// <summary>--threads.</summary>
internal sealed class ThreadsOption
{
    private readonly Option<int?> _threads = new("--threads")
    {
        Description = "Threads of the CPU backend; one per core unless given",
        HelpName = "N",
        CustomParser = result => Numbers.Parse(result, 1, 1024, "a number from 1 to 1024"),
    };

    public void AddTo(ToolCommand command) => command.Add(ToolCommand.Device, _threads);

    /// <summary>The options with the threads filled in.</summary>
    public SegmenterOptions Read(ParseResult result, SegmenterOptions options) =>
        options with { Threads = result.GetValue(_threads) ?? options.Threads };
}
