namespace Atrous;

/// <summary>
/// Memory ran out, of the machine or of a device. A smaller picture or batch may do, or the same one later.
/// </summary>
public class MemoryException : AtrousException
{
    public MemoryException(string message)
        : base(message)
    {
    }

    public MemoryException(string message, Exception inner)
        : base(message, inner)
    {
    }
}
