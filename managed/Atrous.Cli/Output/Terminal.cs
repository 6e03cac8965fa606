using System.Text;
using Spectre.Console;

namespace Atrous.Cli.Output;

/// <summary>Standard output and error. Lines are single lines whatever a file name or a model puts into them.</summary>
internal static class Terminal
{
    /// <summary>"atrous: " and the sentence, on stderr.</summary>
    public static void Message(string message) => Console.Error.WriteLine($"atrous: {OneLine(message)}");

    /// <summary>What a live display hides.</summary>
    public static void ShowCursor()
    {
        if (!Console.IsErrorRedirected)
            Console.Error.Write("\e[?25h");
    }

    /// <summary>For tables and progress bars: colours and widths as the stream allows, none with NO_COLOR.</summary>
    public static IAnsiConsole Rich(TextWriter writer, bool isRedirected)
    {
        IAnsiConsole console = AnsiConsole.Create(new AnsiConsoleSettings { Out = new AnsiConsoleOutput(writer) });
        if (isRedirected)
            console.Profile.Width = 200;
        return console;
    }

    /// <summary>Text from files and models without control characters: no line breaks, no escape sequences.</summary>
    public static string OneLine(string text)
    {
        if (!text.Any(char.IsControl))
            return text;
        var line = new StringBuilder(text.Length);
        foreach (char c in text)
            line.Append(c is '\r' or '\n' or '\t' ? ' ' : char.IsControl(c) ? '?' : c);
        return line.ToString();
    }
}
