using System.CommandLine;
using System.CommandLine.Invocation;
using System.Globalization;
using Atrous.Cli.Options;

namespace Atrous.Cli.Helping;

/// <summary>What --help prints: usage, examples, arguments, the options by section, exit codes.</summary>
internal sealed class HelpPage : SynchronousCommandLineAction
{
    /// <summary>Up to so many options stand together; more are shown by section.</summary>
    private const int ListedTogether = 8;

    private const int LeastWidth = 60, UsualWidth = 100, MostWidth = 120, MostLabel = 26;

    /// <summary>A space at which no line ends.</summary>
    private const char Unbroken = '\u00a0';

    private static readonly (string, string) HelpRow = ("-h, --help", "Show this page");

    public override bool ClearsParseErrors => true;

    public override int Invoke(ParseResult parseResult)
    {
        Command command = parseResult.CommandResult.Command;
        Page page = new(parseResult.InvocationConfiguration.Output);
        page.Paragraph(command.Description ?? "");
        page.Title("Usage");
        page.Line(Usage(command));
        if (command is ToolCommand { Examples: { Count: > 0 } examples })
        {
            page.Title("Examples");
            foreach ((string line, string does) in examples)
                page.Example(line, does);
        }
        page.Rows("Arguments", [.. command.Arguments.Select(argument => ($"<{argument.Name}>", Text(argument)))]);
        foreach ((string title, List<(string, string)> rows) in Sections(command))
            page.Rows(title, rows);
        page.Rows("Commands", [.. command.Subcommands.Select(other => (other.Name, FirstSentence(other)))]);
        page.WriteExitCodes();
        return ExitCode.Done;
    }

    private static string Usage(Command command)
    {
        if (command.Subcommands.Count > 0)
            return "atrous COMMAND [options]";
        IEnumerable<string> arguments = command.Arguments.Select(argument =>
        {
            string name = $"<{argument.Name}>{(argument.Arity.MaximumNumberOfValues > 1 ? "..." : "")}";
            return argument.Arity.MinimumNumberOfValues == 0 ? $"[{name}]" : name;
        });
        return string.Join(' ', ["atrous", command.Name, .. arguments, "[options]"]);
    }

    private static IReadOnlyList<(string Title, List<(string, string)> Rows)> Sections(Command command)
    {
        (string Title, List<(string, string)> Rows)[] sections = command is ToolCommand tool
            ? [.. tool.Sections.Select(section => (section.Title, section.Options.ConvertAll(Row)))]
            : [];
        List<(string, string)> all = [.. sections.SelectMany(section => section.Rows)];
        if (all.Count <= ListedTogether)
        {
            // The tool's own --version belongs to no section.
            all.AddRange(command.Options.Where(option => option.Name == "--version").Select(Row));
            return [("Options", [.. all, HelpRow])];
        }
        return [.. sections, ("Other", [HelpRow])];
    }

    private static (string, string) Row(Option option)
    {
        string names = string.Join(", ", option.Aliases.Append(option.Name));
        if (option.HelpName is not { } value)
            return (names, option.Description ?? "");
        string note = option.Required ? " [required]"
            : option.HasDefaultValue
                ? string.Create(CultureInfo.InvariantCulture, $" [default:{Unbroken}{option.GetDefaultValue()}]")
            : "";
        return ($"{names} <{value}>", option.Description + note);
    }

    private static string Text(Argument argument) => argument.Description ?? "";

    private static string FirstSentence(Command command)
    {
        string description = command.Description ?? "";
        int end = description.IndexOf(". ", StringComparison.Ordinal);
        return (end < 0 ? description : description[..end]).TrimEnd('.');
    }

    /// <summary>Lines of the terminal's width, or of a usual one where it is no terminal.</summary>
    private sealed class Page(TextWriter output)
    {
        private readonly int _width =
            Console.IsOutputRedirected ? UsualWidth : Math.Clamp(Console.WindowWidth, LeastWidth, MostWidth);

        public void Paragraph(string text) => Wrapped("", "", text);

        public void Title(string title)
        {
            output.WriteLine();
            output.WriteLine(title + ":");
        }

        public void Line(string line) => output.WriteLine("  " + line);

        public void Example(string line, string does)
        {
            Line(line);
            Wrapped("      ", "      ", does);
        }

        /// <summary>A title and rows of two columns; nothing where there are no rows.</summary>
        public void Rows(string title, IReadOnlyList<(string Label, string Text)> rows)
        {
            if (rows.Count == 0)
                return;
            Title(title);
            int column = rows.Select(row => row.Label.Length).Where(length => length <= MostLabel).Max() + 4;
            string indent = new(' ', column);
            foreach ((string label, string text) in rows)
            {
                bool fits = label.Length + 4 <= column;
                if (!fits)
                    Line(label);
                Wrapped(fits ? $"  {label}".PadRight(column) : indent, indent, text);
            }
        }

        public void WriteExitCodes()
        {
            output.WriteLine();
            output.WriteLine(ExitCode.Help);
        }

        private void Wrapped(string first, string indent, string text)
        {
            string line = first;
            bool isEmpty = true;
            foreach (string word in text.Split(' '))
            {
                if (!isEmpty && line.Length + 1 + word.Length > _width)
                {
                    output.WriteLine(line.Replace(Unbroken, ' '));
                    (line, isEmpty) = (indent, true);
                }
                line += isEmpty ? word : " " + word;
                isEmpty = false;
            }
            output.WriteLine(line.Replace(Unbroken, ' '));
        }
    }
}
