namespace Atrous;

/// <summary>
/// A device failed while it worked: its driver or one of its libraries says so. Where it is not lost, the same work may
/// succeed a moment later, or on another device.
/// </summary>
public class DeviceException : AtrousException
{
    /// <summary>An exception with its sentence.</summary>
    /// <param name="message">One sentence that says what was wrong and what to do about it.</param>
    public DeviceException(string message)
        : base(message)
    {
    }

    /// <summary>An exception with its sentence and its cause.</summary>
    /// <param name="message">One sentence that says what was wrong and what to do about it.</param>
    /// <param name="inner">The exception that brought it about.</param>
    public DeviceException(string message, Exception inner)
        : base(message, inner)
    {
    }

    /// <summary>True where the device does nothing any more in this process; another process may have it.</summary>
    public bool IsLost { get; private protected init; }
}
