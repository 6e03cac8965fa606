namespace Atrous;

/// <summary>
/// A file of a published model did not come: the server does not answer, leads elsewhere, or sends another file.
/// Another pull may help; it goes on where this one ended, unless what had come was not the file.
/// </summary>
public sealed class DownloadException : AtrousException
{
    /// <summary>An exception with its sentence.</summary>
    /// <param name="message">One sentence that says what was wrong and what to do about it.</param>
    public DownloadException(string message)
        : base(message)
    {
    }

    /// <summary>An exception with its sentence and its cause.</summary>
    /// <param name="message">One sentence that says what was wrong and what to do about it.</param>
    /// <param name="inner">The exception that brought it about.</param>
    public DownloadException(string message, Exception inner)
        : base(message, inner)
    {
    }
}
