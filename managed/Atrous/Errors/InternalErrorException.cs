namespace Atrous;

/// <summary>
/// Atrous itself is at fault: something happened that no input and no machine should bring about. The message asks to
/// report it.
/// </summary>
public sealed class InternalErrorException : AtrousException
{
    public InternalErrorException(string message)
        : base(message)
    {
    }

    public InternalErrorException(string message, Exception inner)
        : base(message, inner)
    {
    }
}
