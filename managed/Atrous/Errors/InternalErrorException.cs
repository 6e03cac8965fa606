namespace Atrous;

/// <summary>
/// Atrous itself is at fault: something happened that no input and no machine should bring about. The message asks to
/// report it.
/// </summary>
public sealed class InternalErrorException : AtrousException
{
    /// <summary>An exception with its sentence.</summary>
    /// <param name="message">One sentence that says what was wrong and what to do about it.</param>
    public InternalErrorException(string message)
        : base(message)
    {
    }

    /// <summary>An exception with its sentence and its cause.</summary>
    /// <param name="message">One sentence that says what was wrong and what to do about it.</param>
    /// <param name="inner">The exception that brought it about.</param>
    public InternalErrorException(string message, Exception inner)
        : base(message, inner)
    {
    }
}
