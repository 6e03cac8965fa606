namespace Atrous;

/// <summary>A picture that cannot be read, or that does not suit the model. Retrying is useless.</summary>
public sealed class ImageException : AtrousException
{
    /// <summary>An exception with its sentence.</summary>
    /// <param name="message">One sentence that says what was wrong and what to do about it.</param>
    public ImageException(string message)
        : base(message)
    {
    }

    /// <summary>An exception with its sentence and its cause.</summary>
    /// <param name="message">One sentence that says what was wrong and what to do about it.</param>
    /// <param name="inner">The exception that brought it about.</param>
    public ImageException(string message, Exception inner)
        : base(message, inner)
    {
    }
}
