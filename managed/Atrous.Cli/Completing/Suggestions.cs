using System.CommandLine;
using System.CommandLine.Completions;
using System.Globalization;

namespace Atrous.Cli.Completing;

/// <summary>
/// The directive that a shell's script asks by what may come next: `atrous "[suggest:21]" "atrous segment --over"`
/// prints one word a line. It is System.CommandLine's own, for a tool that is not called as its assembly is.
/// </summary>
internal static class Suggestions
{
    private const string Begin = "[suggest", End = "]";

    /// <summary>Whether these arguments are the directive.</summary>
    public static bool AreAskedFor(string[] args) => args.Length > 0
        && args[0].StartsWith(Begin, StringComparison.Ordinal) && args[0].EndsWith(End, StringComparison.Ordinal);

    /// <summary>Prints the words.</summary>
    /// <param name="root">The tool with all its commands.</param>
    /// <param name="args">The directive, with the cursor's place in the line, and the line as typed so far.</param>
    /// <returns>The exit code of the tool, which is always that of success.</returns>
    public static int Print(Command root, string[] args)
    {
        string line = args.Length > 1 ? args[1] : "";
        string place = args[0][Begin.Length..^End.Length].TrimStart(':');
        int cursor = int.TryParse(place, NumberStyles.None, CultureInfo.InvariantCulture, out int given)
            ? Math.Min(given, line.Length)
            : line.Length;
        line = line[..cursor];
        foreach (Command command in root.Subcommands)
            NameValues(command);
        string word = line[(line.LastIndexOf(' ') + 1)..];
        foreach (CompletionItem item in root.Parse(line).GetCompletions(cursor))
        {
            // Options only for who has begun one: the place is a file's for most commands, which the shell knows
            // better. "/?" is the parser's word for help on Windows.
            bool isOption = item.Label.StartsWith('-');
            if (!item.Label.StartsWith('/') && isOption == word.StartsWith('-')
                && item.Label.StartsWith(word, StringComparison.OrdinalIgnoreCase))
                Console.Out.Write(item.Label + "\n");
        }
        return ExitCode.Done;
    }

    /// <summary>The values of an option are those that its help shows, "fp32|tf32|fp16|bf16".</summary>
    private static void NameValues(Command command)
    {
        foreach (Option option in command.Options)
        {
            if (option.HelpName is not { } values || !values.Contains('|'))
                continue;
            option.CompletionSources.Clear();
            option.CompletionSources.Add(values.Split('|'));
        }
    }
}
