using System.Text.RegularExpressions;
using Atrous.Checkpoints.Dialects;

namespace Atrous.Tests.House;

/// <summary>The table of dialects in docs/checkpoints.md has a row for each, and no other.</summary>
public sealed partial class DialectTableTests
{
    [Fact]
    public void Every_dialect_has_a_row()
    {
        string table = Page.Of("docs/checkpoints.md").Text.Split("| dialect |")[1].Split("\n\n")[0];
        Assert.Equal(
            Dialect.All.Select(dialect => dialect.Name).Order(StringComparer.Ordinal),
            Row().Matches(table).Select(row => row.Groups[1].Value).Order(StringComparer.Ordinal));
    }

    [GeneratedRegex("^\\| `([^`]+)`", RegexOptions.Multiline)]
    private static partial Regex Row();
}
