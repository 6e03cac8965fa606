namespace Atrous;

/// <summary>
/// A failure that Atrous explains: the message is one sentence that says what was wrong and what to do about it.
/// </summary>
public class AtrousException : Exception
{
    /// <summary>An exception with its sentence.</summary>
    /// <param name="message">One sentence that says what was wrong and what to do about it.</param>
    public AtrousException(string message)
        : base(message)
    {
    }

    /// <summary>An exception with its sentence and its cause.</summary>
    /// <param name="message">One sentence that says what was wrong and what to do about it.</param>
    /// <param name="inner">The exception that brought it about.</param>
    public AtrousException(string message, Exception inner)
        : base(message, inner)
    {
    }

    /// <summary>What may help, for a program that has words of its own for it, as the tool has.</summary>
    internal Remedy Remedy { get; init; }

    /// <summary>The published model that the message is about, or null where it is about none.</summary>
    internal string? ModelName { get; init; }
}
