namespace Atrous.Cli;

/// <summary>Ends a command, or the work on one file of many, with a sentence and an exit code.</summary>
internal sealed class CommandException(int exitCode, string message, Exception? inner = null)
    : Exception(message, inner)
{
    public int ExitCode => exitCode;

    public static CommandException Usage(string message) => new(Cli.ExitCode.Usage, message);
}
