using System.CommandLine;
using System.CommandLine.Help;
using Atrous.Cli.Benchmarking;
using Atrous.Cli.Completing;
using Atrous.Cli.Converting;
using Atrous.Cli.Describing;
using Atrous.Cli.Evaluating;
using Atrous.Cli.Exporting;
using Atrous.Cli.Helping;
using Atrous.Cli.Inferring;
using Atrous.Cli.Listing;
using Atrous.Cli.Merging;
using Atrous.Cli.Options;
using Atrous.Cli.Output;
using Atrous.Cli.Pulling;
using Atrous.Cli.Quantizing;
using Atrous.Cli.Segmenting;
using Atrous.Cli.Serving;
using Atrous.Cli.Verifying;

namespace Atrous.Cli;

/// <summary>
/// The tool `atrous`: the commands, and the one place where a failure becomes a line and an exit code.
/// </summary>
internal static class Program
{
    private const string Description =
        "Semantic segmentation with DeepLab and DenseASPP networks, from the checkpoint that you trained.";

    public static int Main(string[] args)
    {
        WarmUp.Start(args);
        StandardStream.Install();
        var temporaries = new TemporaryFiles();
        using var interruption = new Interruption(temporaries);
        int code = Execute(args, temporaries, interruption);
        if (code != ExitCode.Done && interruption.ExitCode is null && WorkingFolder.IsGone)
            Terminal.Message(WorkingFolder.Gone);
        return code;
    }

    private static int Execute(string[] args, TemporaryFiles temporaries, Interruption interruption)
    {
        try
        {
            return Run(args, temporaries, interruption);
        }
        catch (OperationCanceledException) when (interruption.ExitCode is { } code)
        {
            return code;
        }
        catch (Exception e)
        {
            Failure failure = Failure.Of(e);
            Terminal.Message(failure.Message);
            return interruption.ExitCode ?? failure.Code;
        }
    }

    private static int Run(string[] args, TemporaryFiles temporaries, Interruption interruption)
    {
        // Not a RootCommand: that takes its name from the assembly.
        var root = new ToolCommand("atrous", Description)
        {
            Examples =
            [
                ("atrous segment photo.jpg", "Which pixels are what, with the model in the box"),
                ("atrous info roads.pth", "What a checkpoint is"),
                ("atrous help segment", "The options of a command"),
            ],
        };
        root.Add(new HelpOption { Action = new HelpPage() });
        root.Add(new VersionOption());
        var commands = new Dictionary<string, Func<Command>>
        {
            ["segment"] = () => SegmentCommand.Create(temporaries, interruption),
            ["merge"] = () => MergeCommand.Create(temporaries),
            ["eval"] = () => EvalCommand.Create(temporaries, interruption),
            ["info"] = InfoCommand.Create,
            ["infer"] = () => InferCommand.Create(temporaries, interruption),
            ["export"] = () => ExportCommand.Create(temporaries),
            ["convert"] = () => ConvertCommand.Create(temporaries),
            ["quantize"] = () => QuantizeCommand.Create(temporaries, interruption),
            ["models"] = ModelsCommand.Create,
            ["pull"] = () => PullCommand.Create(interruption),
            ["devices"] = DevicesCommand.Create,
            ["verify"] = () => VerifyCommand.Create(interruption),
            ["bench"] = () => BenchCommand.Create(interruption),
            ["serve"] = () => ServeCommand.Create(interruption),
            ["completion"] = CompletionCommand.Create,
            ["version"] = () => HelpCommand.CreateVersion(RunAgain),
        };
        commands["help"] = () => HelpCommand.Create(commands.Keys, RunAgain);
        // The command that is named, or all, so that help lists them: making what is not asked for takes 30 ms.
        foreach ((string name, Func<Command> create) in commands)
        {
            if (args is not ["--version"] && (args.Length == 0 || args[0] == name || !commands.ContainsKey(args[0])))
                root.Add(create());
        }

        if (Suggestions.AreAskedFor(args))
            return Suggestions.Print(root, args);
        args = ScoringOptions.NameCrf(args);
        ParseResult result = root.Parse(args, new ParserConfiguration { ResponseFileTokenReplacer = null });
        if (result.Action is not HelpPage)
            UnknownOption.Refuse(result, args);
        if (result.Errors.Count > 0)
        {
            string command = result.CommandResult.Command == root
                ? "atrous"
                : $"atrous {result.CommandResult.Command.Name}";
            string errors = string.Join(" ", result.Errors.Select(error => error.Message).Distinct());
            throw CommandException.Usage($"{errors} See {command} --help.");
        }
        return result.Invoke(
            new InvocationConfiguration { EnableDefaultExceptionHandler = false, ProcessTerminationTimeout = null });

        int RunAgain(string[] others) => Run(others, temporaries, interruption);
    }
}
