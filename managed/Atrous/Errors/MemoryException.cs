namespace Atrous;

/// <summary>
/// Memory ran out, of the machine or of a device. A smaller picture or batch may do, or the same one later.
/// </summary>
public class MemoryException : AtrousException
{
    /// <summary>An exception with its sentence.</summary>
    /// <param name="message">One sentence that says what was wrong and what to do about it.</param>
    public MemoryException(string message)
        : base(message)
    {
    }

    /// <summary>An exception with its sentence and its cause.</summary>
    /// <param name="message">One sentence that says what was wrong and what to do about it.</param>
    /// <param name="inner">The exception that brought it about.</param>
    public MemoryException(string message, Exception inner)
        : base(message, inner)
    {
    }
}
