using System.Diagnostics;
using System.Reflection;

namespace Atrous.Tests.Support;

/// <summary>
/// Data that tests compare with. What is small is committed under tests (tests/goldens); the rest is in the folder
/// <c>shared</c> beside the checkout (or inside it). A test that needs some of it is skipped where it is missing,
/// unless ATROUS_REQUIRE_SHARED=1 says that it must be there.
/// </summary>
public static class Shared
{
    // Committed copies come first, so that a bare clone and one with all the data test the same bytes.
    private static readonly string[] Candidates =
    [
        Path.Combine(Repository.Root, "tests"),
        Path.GetFullPath(Path.Combine(Repository.Root, "..", "shared")),
        Path.Combine(Repository.Root, "shared"),
    ];

    /// <summary>True where missing data is a failure.</summary>
    public static bool IsRequired => Environment.GetEnvironmentVariable("ATROUS_REQUIRE_SHARED") == "1";

    /// <summary>The path of a committed or shared file or folder, or null where it is not there.</summary>
    public static string? Find(string relative) =>
        Candidates.Select(root => Path.Combine(root, relative)).FirstOrDefault(Path.Exists);

    /// <summary>
    /// The path of a committed or shared file or folder; skips the running test where it is not there.
    /// </summary>
    public static string Require(string relative)
    {
        // There a skip would fail every test of the class, and only where the data is missing.
        Assert.False(
            new StackTrace().GetFrames().Any(frame => frame.GetMethod()?.Name == ConstructorInfo.TypeConstructorName),
            $"shared/{relative} is asked for in a type's initialiser, which cannot skip.");
        if (Find(relative) is { } path)
            return path;
        string reason = $"needs shared/{relative}, which is neither beside the checkout nor in it";
        if (IsRequired)
            Assert.Fail(reason);
        Assert.Skip(reason);
        return "";
    }
}
