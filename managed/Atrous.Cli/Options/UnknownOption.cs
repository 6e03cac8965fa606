using System.CommandLine;
using System.CommandLine.Parsing;

namespace Atrous.Cli.Options;

/// <summary>
/// Refuses what looks like an option and is none. The parser takes a misspelt one for an argument, such as a picture,
/// and the command would run without what was asked for.
/// </summary>
internal static class UnknownOption
{
    /// <param name="result">What the parser made of the arguments.</param>
    /// <param name="args">The arguments as they were parsed.</param>
    /// <exception cref="CommandException">
    /// An argument begins with "-", is more than that, and does not come after "--"; or an option has a value that it
    /// does not take, as in "--overlay=photo.jpg".
    /// </exception>
    public static void Refuse(ParseResult result, string[] args)
    {
        Token? last = null;
        foreach (Token token in result.Tokens)
        {
            if (token.Type == TokenType.DoubleDash)
                return;
            if (token.Type == TokenType.Argument && !IsOptionValue(token, result.CommandResult))
            {
                if (token.Value is ['-', _, ..])
                    throw CommandException.Usage(Message(token.Value, result.CommandResult));
                if (last?.Type == TokenType.Option && !args.Contains(token.Value))
                    throw CommandException.Usage($"{last.Value} takes no value '{token.Value}'.");
            }
            last = token;
        }
    }

    private static bool IsOptionValue(Token token, CommandResult command)
    {
        foreach (SymbolResult child in command.Children)
        {
            if (child is not OptionResult option)
                continue;
            foreach (Token value in option.Tokens)
            {
                if (ReferenceEquals(value, token))
                    return true;
            }
        }
        return false;
    }

    private static string Message(string text, CommandResult command)
    {
        int end = text.AsSpan().IndexOfAny('=', ':');
        string name = end > 0 ? text[..end] : text;
        string start = $"There is no option {name}; ";
        return Nearest(name, command) is { } near
            ? $"{start}did you mean {near}?"
            : $"{start}`{Path(command)} --help` lists those that there are.";
    }

    private static string Path(CommandResult command) =>
        command.Parent is CommandResult parent ? $"{Path(parent)} {command.Command.Name}" : command.Command.Name;

    /// <summary>The long name that the fewest changes make of this one; null where it takes too many.</summary>
    private static string? Nearest(string name, CommandResult command)
    {
        string? nearest = null;
        int least = int.MaxValue;
        for (CommandResult? owner = command; owner is not null; owner = owner.Parent as CommandResult)
        {
            foreach (Option option in owner.Command.Options)
            {
                bool applies = (owner == command || option.Recursive) && option.Name.StartsWith("--");
                if (applies && Changes(name, option.Name) is var changes && changes < least)
                    (nearest, least) = (option.Name, changes);
            }
        }
        // A change in three letters, not counting the dashes.
        return least <= Math.Max(1, (name.Trim('-').Length + 1) / 3) ? nearest : null;
    }

    /// <summary>
    /// How many letters to add, drop, replace or swap with their neighbour make one name of the other, in any case.
    /// </summary>
    private static int Changes(string from, string to)
    {
        var table = new int[from.Length + 1, to.Length + 1];
        for (int i = 0; i <= from.Length; i++)
        {
            for (int j = 0; j <= to.Length; j++)
            {
                if (i == 0 || j == 0)
                {
                    table[i, j] = i + j;
                    continue;
                }
                int replaced = table[i - 1, j - 1] + (Same(from[i - 1], to[j - 1]) ? 0 : 1);
                table[i, j] = Math.Min(replaced, Math.Min(table[i - 1, j], table[i, j - 1]) + 1);
                if (i > 1 && j > 1 && Same(from[i - 1], to[j - 2]) && Same(from[i - 2], to[j - 1]))
                    table[i, j] = Math.Min(table[i, j], table[i - 2, j - 2] + 1);
            }
        }
        return table[from.Length, to.Length];
    }

    private static bool Same(char a, char b) => char.ToLowerInvariant(a) == char.ToLowerInvariant(b);
}
