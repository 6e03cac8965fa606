using System.Text.RegularExpressions;
using Atrous.Tests.Support;
using Microsoft.Extensions.FileSystemGlobbing;
using Microsoft.Extensions.FileSystemGlobbing.Abstractions;

namespace Atrous.Tests.House;

/// <summary>A Markdown page of the repository: its text, its blocks of code, its headings and its links.</summary>
internal sealed partial class Page
{
    private readonly string _prose;

    private Page(string path)
    {
        Path = path;
        Text = File.ReadAllText(Repository.PathOf(path));
        _prose = Fence().Replace(Text, "");
    }

    /// <summary>The page's path from the root of the repository.</summary>
    public string Path { get; }

    /// <summary>The whole page as it is written.</summary>
    public string Text { get; }

    /// <summary>Every page for people: those at the top, and those of docs.</summary>
    public static IEnumerable<Page> All() =>
        Directory.EnumerateFiles(Repository.Root, "*.md")
            .Concat(Directory.EnumerateFiles(Repository.PathOf("docs"), "*.md", SearchOption.AllDirectories))
            .Select(file => System.IO.Path.GetRelativePath(Repository.Root, file))
            .Order(StringComparer.Ordinal).Select(Of);

    /// <summary>Every page that the site has, which is every one of the repository.</summary>
    public static IEnumerable<Page> Site() =>
        new Matcher().AddInclude("**/*.md").AddExclude("artifacts/").AddExclude("**/node_modules/")
            .Execute(new DirectoryInfoWrapper(new DirectoryInfo(Repository.Root)))
            .Files.Select(file => file.Path).Order(StringComparer.Ordinal).Select(Of);

    public static Page Of(string path) => new(path);

    /// <summary>Words as `wc -w` counts them.</summary>
    public int Words => Text.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries).Length;

    /// <summary>Blocks of code with what stands behind their opening fence.</summary>
    public IEnumerable<(string Language, string Code)> Blocks() =>
        Fence().Matches(Text).Select(match => (match.Groups[1].Value.Trim(), match.Groups[2].Value));

    /// <summary>What links and pictures point at.</summary>
    public IEnumerable<string> Links() =>
        Link().Matches(InlineCode().Replace(_prose, "")).Select(match => match.Groups[1].Value);

    /// <summary>The headings' anchors, as GitHub makes them.</summary>
    public IEnumerable<string> Anchors() => Heading().Matches(_prose)
        .Select(match => NoAnchor().Replace(match.Groups[1].Value.Trim().ToLowerInvariant(), "").Replace(' ', '-'));

    [GeneratedRegex(@"^```([^\n]*)\n(.*?)^```\s*$", RegexOptions.Multiline | RegexOptions.Singleline)]
    private static partial Regex Fence();

    [GeneratedRegex(@"`[^`\n]+`")]
    private static partial Regex InlineCode();

    [GeneratedRegex(@"\]\(([^)\s]+)\)")]
    private static partial Regex Link();

    [GeneratedRegex(@"^#{1,6} (.+)$", RegexOptions.Multiline)]
    private static partial Regex Heading();

    [GeneratedRegex(@"[^\w\- ]")]
    private static partial Regex NoAnchor();
}
