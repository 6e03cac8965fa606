namespace Atrous;

/// <summary>
/// A file of a published model did not come: the server does not answer, leads elsewhere, or sends another file.
/// Another pull may help, and goes on where this one ended.
/// </summary>
public sealed class DownloadException : AtrousException
{
    public DownloadException(string message)
        : base(message)
    {
    }

    public DownloadException(string message, Exception inner)
        : base(message, inner)
    {
    }
}
