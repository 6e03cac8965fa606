namespace Atrous;

/// <summary>
/// A file that cannot be written: its folder is missing, its disk is full, or it is not ours to write.
/// </summary>
public sealed class OutputException : AtrousException
{
    public OutputException(string message)
        : base(message)
    {
    }

    public OutputException(string message, Exception inner)
        : base(message, inner)
    {
    }
}
