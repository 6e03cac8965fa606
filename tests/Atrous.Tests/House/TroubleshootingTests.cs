using System.Text.RegularExpressions;
using Atrous.Tests.Support;

namespace Atrous.Tests.House;

/// <summary>Every sentence that docs/troubleshooting.md quotes is one that the source can say.</summary>
public sealed partial class TroubleshootingTests
{
    private static readonly Lazy<string> Source = new(() => string.Concat(
        new[] { "managed", "native" }.Select(Repository.PathOf)
            .SelectMany(folder => Directory.EnumerateFiles(folder, "*", SearchOption.AllDirectories))
            .Where(file => Path.GetExtension(file) is ".cs" or ".cpp" or ".h" or ".sh")
            .Select(file => Joint().Replace(File.ReadAllText(file), ""))));

    public static TheoryData<string> Sentences =>
    [
        .. Quoted().Matches(Page.Of("docs/troubleshooting.md").Text).Select(match => match.Groups[1].Value),
    ];

    [Theory]
    [MemberData(nameof(Sentences))]
    public void The_source_says_this(string sentence)
    {
        string[] parts = [.. sentence.Split('…').Select(part => part.Trim()).Where(part => part.Length > 3)];
        Assert.NotEmpty(parts);
        Assert.All(parts, part => Assert.True(
            Source.Value.Contains(part, StringComparison.Ordinal), $"No source file says \"{part}\"."));
    }

    [GeneratedRegex(@"^### ""(.+)""$", RegexOptions.Multiline)]
    private static partial Regex Quoted();

    /// <summary>Where a long sentence is put together from two literals.</summary>
    [GeneratedRegex(@"""\s*\+?\s*\$?""")]
    private static partial Regex Joint();
}
