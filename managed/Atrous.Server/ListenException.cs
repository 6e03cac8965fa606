namespace Atrous.Server;

/// <summary>
/// The server cannot listen on its address: the port is taken or not allowed, or the machine has no such address.
/// </summary>
public sealed class ListenException : AtrousException
{
    /// <summary>An exception with its sentence.</summary>
    /// <param name="message">One sentence that says what was wrong and what to do about it.</param>
    public ListenException(string message)
        : base(message)
    {
    }

    /// <summary>An exception with its sentence and its cause.</summary>
    /// <param name="message">One sentence that says what was wrong and what to do about it.</param>
    /// <param name="inner">The exception that brought it about.</param>
    public ListenException(string message, Exception inner)
        : base(message, inner)
    {
    }
}
