namespace Atrous.Tests.Support;

/// <summary>Where things lie in the checkout that these tests were built from.</summary>
public static class Repository
{
    /// <summary>The folder that holds Atrous.sln.</summary>
    public static string Root { get; } = FindRoot();

    /// <summary>Goldens that are committed, so that tests which use them run in any checkout.</summary>
    public static string Goldens => Path.Combine(Root, "tests", "goldens");

    /// <summary>An absolute path from one relative to the root, with forward slashes.</summary>
    public static string PathOf(string relative) => Path.Combine(Root, relative);

    private static string FindRoot()
    {
        for (DirectoryInfo? folder = new(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
        {
            if (File.Exists(Path.Combine(folder.FullName, "Atrous.sln")))
                return folder.FullName;
        }
        throw new InvalidOperationException($"No folder above {AppContext.BaseDirectory} holds Atrous.sln.");
    }
}
