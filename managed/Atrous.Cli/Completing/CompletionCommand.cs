using System.CommandLine;
using Atrous.Cli.Options;

namespace Atrous.Cli.Completing;

/// <summary>`atrous completion SHELL`: the script that completes commands and options in a shell.</summary>
internal static class CompletionCommand
{
    private const string Bash = """
        # Source this from ~/.bashrc:  source <(atrous completion bash)
        _atrous() {
            local IFS=$'\n'
            COMPREPLY=($(atrous "[suggest:$COMP_POINT]" "$COMP_LINE" 2>/dev/null))
        }
        complete -o default -F _atrous atrous
        """;

    private const string Zsh = """
        #compdef atrous
        # Source this from ~/.zshrc, after compinit:  source <(atrous completion zsh)
        _atrous() {
            local line="${(j: :)words[1,CURRENT]}"
            local -a found
            found=(${(f)"$(atrous "[suggest:${#line}]" "$line" 2>/dev/null)"})
            if (( ${#found} )); then compadd -- $found; else _files; fi
        }
        compdef _atrous atrous
        """;

    private const string PowerShell = """
        # Add this to $PROFILE:  atrous completion pwsh | Out-String | Invoke-Expression
        Register-ArgumentCompleter -Native -CommandName atrous -ScriptBlock {
            param($word, $command, $cursor)
            $cursor -= $command.Extent.StartOffset
            $line = $command.ToString().PadRight($cursor)
            atrous "[suggest:$cursor]" "$line" 2>$null | ForEach-Object {
                [System.Management.Automation.CompletionResult]::new($_, $_, 'ParameterValue', $_)
            }
        }
        """;

    private static readonly Dictionary<string, string> Scripts = new()
    {
        ["bash"] = Bash,
        ["zsh"] = Zsh,
        ["pwsh"] = PowerShell,
    };

    public static Command Create()
    {
        var shell = new Argument<string>("SHELL") { Description = "bash, zsh or pwsh (PowerShell)" };
        shell.CompletionSources.Add([.. Scripts.Keys]);
        var command = new ToolCommand(
            "completion",
            "Print a script that completes commands and options in a shell. Its first line says where to put it.")
        {
            Examples =
            [
                ("atrous completion bash", "For bash; source it from ~/.bashrc"),
                ("atrous completion pwsh", "For PowerShell, on every system"),
            ],
        };
        command.Add(shell);
        command.SetAction(result =>
        {
            string wanted = result.GetRequiredValue(shell);
            if (!Scripts.TryGetValue(wanted, out string? script))
                throw CommandException.Usage($"There is no script for '{wanted}'; there are bash, zsh and pwsh.");
            // Ends as its other lines do on every system: bash would take a carriage return for a part of a name.
            Console.Out.Write(script + "\n");
            return ExitCode.Done;
        });
        return command;
    }
}
