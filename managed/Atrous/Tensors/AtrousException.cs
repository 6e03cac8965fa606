namespace Atrous;

/// <summary>
/// A failure that Atrous explains: the message is one sentence that says what was wrong and what to do about it.
/// </summary>
public class AtrousException : Exception
{
    public AtrousException(string message)
        : base(message)
    {
    }

    public AtrousException(string message, Exception inner)
        : base(message, inner)
    {
    }
}

/// <summary>
/// A model file that cannot be used: broken, hostile, of an unknown dialect, or with missing weights. Retrying is
/// useless.
/// </summary>
public sealed class ModelException : AtrousException
{
    public ModelException(string message)
        : base(message)
    {
    }

    public ModelException(string message, Exception inner)
        : base(message, inner)
    {
    }
}

/// <summary>A picture that cannot be read, or that does not suit the model. Retrying is useless.</summary>
public sealed class ImageException : AtrousException
{
    public ImageException(string message)
        : base(message)
    {
    }

    public ImageException(string message, Exception inner)
        : base(message, inner)
    {
    }
}

/// <summary>A device, precision or option that this machine or this model does not have.</summary>
public sealed class UnavailableException(string message) : AtrousException(message);

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

/// <summary>A request had no result in its time.</summary>
public sealed class RequestTimeoutException(string message) : AtrousException(message);
