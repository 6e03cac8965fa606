using System.Text.RegularExpressions;
using Atrous.Tests.Support;

namespace Atrous.Tests.House;

/// <summary>
/// Lines fit a screen: as many columns as .editorconfig says. Descriptions of parameters are read alone. The library
/// does not know how the tool calls things.
/// </summary>
public sealed partial class WordsTests
{
    private const int MostColumns = 120, FewestWords = 4;

    [Fact]
    public void Lines_fit() => Assert.Empty(
        new[] { "managed", "native", "tests", "bench" }
            .SelectMany(folder => Sources(folder, ".cs", ".cpp", ".h", ".cu"))
            .SelectMany(file => File.ReadLines(file).Select((line, i) => (Line: line, Number: i + 1))
                .Where(entry => Columns(entry.Line) > MostColumns && !IsData(file, entry.Line))
                .Select(entry => $"{Path.GetRelativePath(Repository.Root, file)}:{entry.Number}")));

    /// <summary>
    /// A tooltip shows a parameter's description without those of its neighbours: "Of the file." or "Pixels." says
    /// nothing there.
    /// </summary>
    [Fact]
    public void Descriptions_of_parameters_stand_alone() => Assert.Empty(
        Sources("managed", ".cs").SelectMany(ShortDescriptions));

    /// <summary>
    /// Who calls the library from C# or over HTTP has no options to type: those stand in the tool's Hints.
    /// </summary>
    [Fact]
    public void The_library_names_no_option_and_no_command_of_the_tool() => Assert.Empty(
        new[] { "Atrous", "Atrous.Onnx", "Atrous.Hosting", "Atrous.Server" }
            .SelectMany(project => Sources($"managed/{project}", ".cs"))
            .SelectMany(file => ToolWord().Matches(File.ReadAllText(file))
                .Select(match => $"{Path.GetRelativePath(Repository.Root, file)}: {match.Value.Trim()}")));

    /// <summary>
    /// A caller finds the token where it always is. An extension method of a token's own has it first.
    /// </summary>
    [Fact]
    public void A_cancellation_token_is_called_so_and_comes_last() => Assert.Empty(
        Sources("managed", ".cs").SelectMany(file => Token().Matches(File.ReadAllText(file))
            .Where(match => !match.Value.StartsWith("this ", StringComparison.Ordinal))
            .Where(match => match.Groups["name"].Value != "cancellationToken" || match.Groups["end"].Value != ")")
            .Select(match => $"{Path.GetRelativePath(Repository.Root, file)}: {match.Value}")));

    /// <summary>Who catches it would not know what to do: each kind of trouble has a type of its own.</summary>
    [Fact]
    public void The_common_base_of_the_exceptions_is_never_thrown_itself() => Assert.DoesNotContain(
        Sources("managed", ".cs"), file => File.ReadAllText(file).Contains("new AtrousException("));

    /// <summary>Two branches that add members then seldom meet in one line.</summary>
    [Fact]
    public void The_lists_of_public_members_are_in_order() => Assert.All(
        Sources("managed", ".txt").Where(file => Path.GetFileName(file).StartsWith("PublicAPI.", StringComparison.Ordinal)),
        file => Assert.Equal(
            File.ReadLines(file).Skip(1).Order(StringComparer.Ordinal), File.ReadLines(file).Skip(1)));

    private static IEnumerable<string> ShortDescriptions(string file)
    {
        string text = File.ReadAllText(file);
        foreach (Match match in Parameter().Matches(text))
        {
            string[] words = Reference().Replace(match.Groups["text"].Value, "x")
                .Split([' ', '/', '\r', '\n'], StringSplitOptions.RemoveEmptyEntries);
            if (words.Length < FewestWords || words[0] == "Of")
            {
                int line = text.AsSpan(0, match.Index).Count('\n') + 1;
                yield return $"{Path.GetRelativePath(Repository.Root, file)}:{line}: {string.Join(' ', words)}";
            }
        }
    }

    /// <summary>A test's literal may be longer, where a request or a pattern says more in one piece.</summary>
    private static bool IsData(string file, string line) =>
        file.StartsWith(Repository.PathOf("tests"), StringComparison.Ordinal) && line.Contains('"');

    /// <summary>Columns are code points, not UTF-16's halves.</summary>
    private static int Columns(string line) => line.EnumerateRunes().Count();

    private static IEnumerable<string> Sources(string folder, params string[] extensions) =>
        Directory.EnumerateFiles(Repository.PathOf(folder), "*", SearchOption.AllDirectories)
            .Where(file => extensions.Contains(Path.GetExtension(file)) && !IsBuilt(file));

    private static bool IsBuilt(string file) =>
        file.Contains("/obj/", StringComparison.Ordinal) || file.Contains("/bin/", StringComparison.Ordinal)
        || file.Contains("/node_modules/", StringComparison.Ordinal);

    [GeneratedRegex(@"<param name=""\w+"">(?<text>.*?)</param>", RegexOptions.Singleline)]
    private static partial Regex Parameter();

    /// <summary>A token among parameters: its name, and what follows it.</summary>
    [GeneratedRegex(@"(?:this )?\bCancellationToken\?? (?<name>\w+)(?: = \w+)?\s*(?<end>[,)])")]
    private static partial Regex Token();

    /// <summary>In a literal or a comment.</summary>
    [GeneratedRegex(@"^.*(?:""|//).*(?:--[a-z]|`atrous [a-z]).*$", RegexOptions.Multiline)]
    private static partial Regex ToolWord();

    /// <summary>A reference, which counts as one word.</summary>
    [GeneratedRegex(@"<see\w* [^>]*/>")]
    private static partial Regex Reference();
}
