namespace Atrous.Cli.Options;

/// <summary>The folder that relative paths begin in.</summary>
internal static class WorkingFolder
{
    public const string Gone =
        "the working directory does not exist any more, so that relative paths lead nowhere; change to another one.";

    /// <summary>Somebody deleted it under this process.</summary>
    public static bool IsGone
    {
        get
        {
            try
            {
                return !Directory.Exists(Environment.CurrentDirectory);
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                return true;
            }
        }
    }
}
