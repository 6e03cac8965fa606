namespace Atrous;

/// <summary>
/// A model file that cannot be used: broken, hostile, of an unknown dialect, or with missing weights. Retrying is
/// useless.
/// </summary>
public sealed class ModelException : AtrousException
{
    /// <summary>An exception with its sentence.</summary>
    /// <param name="message">One sentence that says what was wrong and what to do about it.</param>
    public ModelException(string message)
        : base(message)
    {
    }

    /// <summary>An exception with its sentence and its cause.</summary>
    /// <param name="message">One sentence that says what was wrong and what to do about it.</param>
    /// <param name="inner">The exception that brought it about.</param>
    public ModelException(string message, Exception inner)
        : base(message, inner)
    {
    }
}
