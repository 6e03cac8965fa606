using Atrous.Tests.Support;

namespace Atrous.Tests.House;

/// <summary>Lines fit a screen: as many columns as .editorconfig says.</summary>
public sealed class WordsTests
{
    private const int MostColumns = 120;

    [Fact]
    public void Lines_fit() => Assert.Empty(
        new[] { "managed", "native", "tests", "bench" }
            .SelectMany(folder => Sources(folder, ".cs", ".cpp", ".h", ".cu"))
            .SelectMany(file => File.ReadLines(file).Select((line, i) => (Line: line, Number: i + 1))
                .Where(entry => Columns(entry.Line) > MostColumns && !IsData(file, entry.Line))
                .Select(entry => $"{Path.GetRelativePath(Repository.Root, file)}:{entry.Number}")));

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
}
