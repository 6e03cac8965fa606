using System.Diagnostics;

namespace Atrous.Tests.Cli.Completing;

/// <summary>What a shell is told of the tool: the words that may come next, by the script that asks.</summary>
public sealed class CompletionTests
{
    [Theory]
    [InlineData("atrous se", "segment", "serve")]
    [InlineData("atrous segment --ov", "--overlay", "--overlap")]
    [InlineData("atrous segment photo.jpg --precision ", "fp32", "tf32", "fp16", "bf16", "int8")]
    [InlineData("atrous segment photo.jpg --precision f", "fp32", "fp16")]
    [InlineData("atrous completion ", "bash", "zsh", "pwsh")]
    [InlineData("atrous segment ph")]
    [InlineData("atrous segment ")]
    public void The_words_that_may_come_next_are_told(string line, params string[] words) =>
        Assert.Equal(words.Order(), Suggested(line, line.Length).Order());

    [Fact]
    public void What_stands_behind_the_cursor_does_not_count() =>
        Assert.Equal(["segment", "serve"], Suggested("atrous se --nonsense", "atrous se".Length).Order());

    [Fact]
    public void Every_option_of_a_command_is_among_them()
    {
        string[] told = Suggested("atrous segment --", "atrous segment --".Length);
        Assert.Contains("--model", told);
        Assert.Contains("--help", told);
        Assert.All(told, word => Assert.StartsWith("--", word));
    }

    /// <summary>The script in a real shell, with the tool in its path.</summary>
    [Fact]
    public void Bash_completes_by_the_script()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "The bash of Windows, where there is one, has paths of its own.");
        const string line = "atrous segment --opac";
        string script = Tool.Run("completion", "bash").Exits(0).Output;
        var start = new ProcessStartInfo("bash", ["--norc", "-s"])
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
        };
        start.Environment["PATH"] = Path.GetDirectoryName(Tool.Path) + Path.PathSeparator + start.Environment["PATH"];
        using Process bash = Process.Start(start)!;
        bash.StandardInput.Write($$"""
            {{script}}
            COMP_LINE='{{line}}' COMP_POINT={{line.Length}} COMP_WORDS=({{line}}) COMP_CWORD=2
            _atrous
            printf '%s\n' "${COMPREPLY[@]}" "$(complete -p atrous)"

            """);
        bash.StandardInput.Close();
        string printed = bash.StandardOutput.ReadToEnd();
        bash.WaitForExit();
        Assert.Equal(["--opacity", "complete -o default -F _atrous atrous"], printed.Trim().Split('\n'));
    }

    [Theory]
    [InlineData("bash", "complete -o default -F _atrous atrous")]
    [InlineData("zsh", "compdef _atrous atrous")]
    [InlineData("pwsh", "Register-ArgumentCompleter -Native -CommandName atrous")]
    public void Every_script_registers_itself_and_asks_the_tool(string shell, string registration)
    {
        string script = Tool.Run("completion", shell).Exits(0).Output;
        Assert.Contains(registration, script);
        Assert.Contains("atrous \"[suggest:", script);
    }

    /// <summary>PowerShell counts from the beginning of what is typed; the command may stand behind others.</summary>
    [Fact]
    public void PowerShell_s_place_is_counted_from_the_command() => Assert.Contains(
        "$cursor -= $command.Extent.StartOffset", Tool.Run("completion", "pwsh").Exits(0).Output);

    private static string[] Suggested(string line, int cursor) =>
        Tool.Run($"[suggest:{cursor}]", line).Exits(0).Output.Split('\n', StringSplitOptions.RemoveEmptyEntries);
}
