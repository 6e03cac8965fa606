using System.Text.Json;
using System.Text.RegularExpressions;
using Atrous.Tests.Support;
using Microsoft.Extensions.FileSystemGlobbing;

namespace Atrous.Tests.House;

/// <summary>The pages for people: short where that is promised, and true where a machine can tell.</summary>
public sealed partial class PagesTests
{
    [Fact]
    public void The_README_is_one_screen() =>
        Assert.InRange(Page.Of("README.md").Text.Split('\n').Length, 1, 80);

    [Fact]
    public void CONTRIBUTING_is_read_in_five_minutes() => Assert.InRange(Page.Of("CONTRIBUTING.md").Words, 1, 900);

    /// <summary>A sample names its file in the line above it; between its lines the file may have others.</summary>
    [Fact]
    public void What_CONTRIBUTING_quotes_is_in_the_file()
    {
        Match[] samples = [.. Sample().Matches(Page.Of("CONTRIBUTING.md").Text).Cast<Match>()];
        Assert.NotEmpty(samples);
        Assert.All(samples, sample =>
        {
            string file = $"managed/Atrous/{sample.Groups[1].Value}";
            string[] lines = [.. File.ReadLines(Repository.PathOf(file)).Select(line => line.Trim())];
            int at = 0;
            foreach (string line in sample.Groups[2].Value.Split('\n').Select(line => line.Trim()))
            {
                if (line.Length == 0 || line.StartsWith("//", StringComparison.Ordinal))
                    continue;
                at = Array.IndexOf(lines, line, at) + 1;
                Assert.True(at > 0, $"{file} has no line '{line}' behind those that are quoted before it.");
            }
        });
    }

    [Fact]
    public void The_README_counts_the_cases_that_are_compared()
    {
        int whole = Golden.All.Count;
        int here = Golden.All.Count(entry => new[] { "cases", "cases-2" }.Any(set =>
            File.Exists(Path.Combine(Repository.Goldens, set, entry.Name + ".json"))
            && File.Exists(Path.Combine(Repository.Goldens, set, entry.Name + ".safetensors"))));
        Assert.Matches(
            $@"\b{whole} cases; a clone holds the files of {here}\b", Page.Of("README.md").Text.ReplaceLineEndings(" "));
    }

    /// <summary>The one that .editorconfig names.</summary>
    [Fact]
    public void One_member_has_an_exception_from_an_analysis_rule() => Assert.Equal(
        ["managed/Atrous/Catalog/DefaultModel.cs"],
        Directory.EnumerateFiles(Repository.PathOf("managed"), "*.cs", SearchOption.AllDirectories)
            .Select(file => Path.GetRelativePath(Repository.Root, file))
            .Where(file => !file.Contains("/obj/", StringComparison.Ordinal))
            .Where(file => Suppression().IsMatch(File.ReadAllText(Repository.PathOf(file)))));

    /// <summary>
    /// To what the site has as well: no link of it can lead to a folder, nor to a file that it leaves out.
    /// </summary>
    [Fact]
    public void Links_lead_somewhere()
    {
        using JsonDocument site = JsonDocument.Parse(File.ReadAllText(Repository.PathOf("docs/docfx.json")));
        JsonElement build = site.RootElement.GetProperty("build");
        Matcher published = new();
        foreach (string part in (string[])["content", "resource"])
        {
            JsonElement files = build.GetProperty(part)[0].GetProperty("files");
            published.AddIncludePatterns(files.Deserialize<string[]>()!);
        }
        Assert.Empty(Page.Site().SelectMany(page => page.Links().Where(link => !Resolves(page, link, published))
            .Select(link => $"{page.Path}: {link}")));
    }

    [Fact]
    public void Paths_that_pages_name_exist() => Assert.Empty(Page.All().SelectMany(page => NamedPath()
        .Matches(page.Text).Select(match => match.Groups[1].Value)
        .Where(path => !Path.Exists(Repository.PathOf(path))).Select(path => $"{page.Path}: {path}")));

    [Fact]
    public void Types_and_members_that_pages_for_contributors_name_exist()
    {
        string source = string.Concat(new[] { "managed", "tests" }.Select(Repository.PathOf)
            .SelectMany(folder => Directory.EnumerateFiles(folder, "*.cs", SearchOption.AllDirectories))
            .Select(File.ReadAllText));
        HashSet<string> words = [.. Word().Matches(source).Select(match => match.Value)];
        Assert.Empty(Page.All().Where(page => page.Path is "CONTRIBUTING.md" or "docs/architecture.md"
                || page.Path.StartsWith("docs/decisions/", StringComparison.Ordinal))
            .SelectMany(page => NamedMember().Matches(page.Text).SelectMany(match => match.Groups[1].Value.Split('.'))
                .Where(name => !words.Contains(name)).Select(name => $"{page.Path}: {name}")));
    }

    [Fact]
    public void The_architecture_page_has_the_references_that_are_enforced()
    {
        string page = Page.Of("docs/architecture.md").Text;
        string section = page[page.IndexOf("## Allowed references", StringComparison.Ordinal)..];
        section = section[..section.IndexOf("\n## ", 1, StringComparison.Ordinal)];
        Dictionary<string, string[]> told = Row().Matches(section).ToDictionary(
            row => row.Groups[1].Value == "(root)" ? "" : row.Groups[1].Value.Trim('`'),
            row => Sorted(Name().Matches(row.Groups[2].Value)
                .Select(name => name.Groups[1].Value == "root" ? "" : name.Groups[1].Value)));
        Assert.Equal(Sorted(LayeringTests.Allowed.Keys), Sorted(told.Keys));
        Assert.All(told, row => Assert.Equal(Sorted(LayeringTests.Allowed[row.Key]), row.Value));
    }

    [Fact]
    public void Every_decision_is_listed_and_has_its_parts()
    {
        string[] decisions = [.. Page.All().Select(page => page.Path)
            .Where(path => path.StartsWith("docs/decisions/0", StringComparison.Ordinal))];
        string[] listed = [.. Page.Of("docs/decisions/README.md").Links().Select(link => "docs/decisions/" + link)];
        Assert.Equal(decisions, listed);
        Assert.All(decisions, path =>
        {
            string text = Page.Of(path).Text;
            Assert.StartsWith($"# {int.Parse(Path.GetFileName(path)[..4])}. ", text, StringComparison.Ordinal);
            Assert.All(
                ["## Context", "## Decision", "## Consequence"],
                part => Assert.Contains(part, text, StringComparison.Ordinal));
        });
    }

    [Fact]
    public void Every_page_for_users_is_in_the_table_of_contents_and_in_the_README()
    {
        string contents = File.ReadAllText(Repository.PathOf("docs/toc.yml"));
        string[] linked = [.. Page.Of("README.md").Links()];
        IEnumerable<string> paths = Page.All().Select(page => page.Path);
        foreach (string path in paths.Where(path => Path.GetDirectoryName(path) == "docs"))
        {
            Assert.Contains(Path.GetFileName(path), contents, StringComparison.Ordinal);
            Assert.Contains(path, linked);
        }
    }

    [Fact]
    public void Options_of_the_tool_that_pages_name_exist()
    {
        string tool = string.Concat(Directory
            .EnumerateFiles(Repository.PathOf("managed/Atrous.Cli"), "*.cs", SearchOption.AllDirectories)
            .Select(File.ReadAllText));
        // --help is every tool's.
        Assert.Empty(Page.All().SelectMany(page => ToolOption().Matches(page.Text)
            .SelectMany(match => Option().Matches(match.Value)).Select(match => match.Value)
            .Where(option => option != "--help" && !tool.Contains($"\"{option}\"", StringComparison.Ordinal))
            .Select(option => $"{page.Path}: {option}")));
    }

    private static bool Resolves(Page page, string link, Matcher published)
    {
        if (link.StartsWith("https://", StringComparison.Ordinal))
            return true;
        string[] parts = link.Split('#', 2);
        string folder = Path.GetDirectoryName(page.Path)!;
        string file = parts[0].Length == 0 ? page.Path : Path.Combine(folder, parts[0]);
        file = Path.GetRelativePath(Repository.Root, Repository.PathOf(file));
        return File.Exists(Repository.PathOf(file)) && published.Match(file).HasMatches
            && (parts.Length == 1 || Page.Of(file).Anchors().Contains(parts[1]));
    }

    private static string[] Sorted(IEnumerable<string> names) => [.. names.Order(StringComparer.Ordinal)];

    /// <summary>The file that a block of C# is from, and the block.</summary>
    [GeneratedRegex(@"^From `([\w/.]+\.cs)`:\n\n```csharp\n(.*?)^```", RegexOptions.Multiline | RegexOptions.Singleline)]
    private static partial Regex Sample();

    [GeneratedRegex(@"SuppressMessage|#pragma warning")]
    private static partial Regex Suppression();

    /// <summary>A path from the root in code, without a part that is to be filled in.</summary>
    [GeneratedRegex(@"`((?:managed|native|tests|bench|docs|models|samples)/[\w./-]+)`")]
    private static partial Regex NamedPath();

    [GeneratedRegex(@"`([A-Z][a-z]\w+(?:\.[A-Z]\w+)*)`")]
    private static partial Regex NamedMember();

    [GeneratedRegex(@"\w+")]
    private static partial Regex Word();

    /// <summary>A command line of the tool, or an option by itself in code.</summary>
    [GeneratedRegex(
        @"^\$ atrous .*$|(?<=`)--[a-z][^`\n]*(?=`)|(?<=`)atrous [^`\n]*(?=`)", RegexOptions.Multiline)]
    private static partial Regex ToolOption();

    [GeneratedRegex(@"--[a-z][a-z-]*")]
    private static partial Regex Option();

    [GeneratedRegex(@"^\| (`\w+`|\(root\)) \| (.*) \|$", RegexOptions.Multiline)]
    private static partial Regex Row();

    [GeneratedRegex(@"`(\w+)`")]
    private static partial Regex Name();
}
