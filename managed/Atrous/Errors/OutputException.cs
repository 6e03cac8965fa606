namespace Atrous;

/// <summary>
/// A file that cannot be written: its folder is missing, its disk is full, or it is not ours to write.
/// </summary>
public sealed class OutputException : AtrousException
{
    /// <summary>An exception with its sentence.</summary>
    /// <param name="message">One sentence that says what was wrong and what to do about it.</param>
    public OutputException(string message)
        : base(message)
    {
    }

    /// <summary>An exception with its sentence and its cause.</summary>
    /// <param name="message">One sentence that says what was wrong and what to do about it.</param>
    /// <param name="inner">The exception that brought it about.</param>
    public OutputException(string message, Exception inner)
        : base(message, inner)
    {
    }
}
