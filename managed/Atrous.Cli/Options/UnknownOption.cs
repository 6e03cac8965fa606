using System.CommandLine;
using System.CommandLine.Parsing;
using Atrous.Files;

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
        var names = new List<string>();
        for (CommandResult? owner = command; owner is not null; owner = owner.Parent as CommandResult)
        {
            names.AddRange(owner.Command.Options
                .Where(option => (owner == command || option.Recursive) && option.Name.StartsWith("--"))
                .Select(option => option.Name));
        }
        return NearestName.Of(name, names);
    }
}
