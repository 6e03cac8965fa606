using System.CommandLine;

namespace Atrous.Cli.Options;

internal static class GivenOption
{
    /// <summary>Whether the user named an option; what it has otherwise is its default.</summary>
    public static bool IsGiven(this ParseResult result, Option option) =>
        result.GetResult(option) is { Implicit: false };
}
