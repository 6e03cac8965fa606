namespace Atrous.Files;

/// <summary>
/// Whether a file that could not be read may be readable a moment later: trouble of a disk or a network, or another
/// process that holds it. What is not there, ends early or is no file stays so.
/// </summary>
internal static class PassingError
{
    /// <summary>True where such trouble is behind the exception, or is it.</summary>
    public static bool IsIn(Exception? exception)
    {
        // A refusal has an IOException of the system's inside.
        for (; exception is not (null or UnauthorizedAccessException); exception = exception.InnerException)
        {
            if (exception is IOException and not (FileNotFoundException or DirectoryNotFoundException
                or DriveNotFoundException or PathTooLongException or EndOfStreamException or NoRegularFileException))
                return true;
        }
        return false;
    }
}
