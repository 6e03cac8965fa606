using System.CommandLine;
using Atrous.Cli.Options;

namespace Atrous.Cli.Helping;

/// <summary>`atrous help` and `atrous version`: --help and --version for those who leave the dashes out.</summary>
internal static class HelpCommand
{
    /// <summary>`atrous help [COMMAND]`.</summary>
    /// <param name="commands">The names that it takes.</param>
    /// <param name="run">Runs the tool with these arguments.</param>
    public static Command Create(IReadOnlyCollection<string> commands, Func<string[], int> run)
    {
        var name = new Argument<string?>("COMMAND")
        {
            Description = "The command whose arguments and options are told; all commands are listed unless given",
            Arity = ArgumentArity.ZeroOrOne,
        };
        var command = new ToolCommand("help", "Tell how atrous or one of its commands is used, as --help does.")
        {
            Examples =
            [
                ("atrous help", "All commands"),
                ("atrous help segment", "The arguments and options of one"),
            ],
        };
        command.Add(name);
        command.SetAction(result =>
        {
            if (result.GetValue(name) is not { } wanted)
                return run(["--help"]);
            if (!commands.Contains(wanted))
                throw CommandException.Usage($"There is no command '{wanted}'; `atrous help` lists those there are.");
            return run([wanted, "--help"]);
        });
        return command;
    }

    /// <summary>`atrous version`.</summary>
    /// <param name="run">Runs the tool with these arguments.</param>
    public static Command CreateVersion(Func<string[], int> run)
    {
        var command = new Command("version", "Tell the version, as --version does.");
        command.SetAction(_ => run(["--version"]));
        return command;
    }
}
