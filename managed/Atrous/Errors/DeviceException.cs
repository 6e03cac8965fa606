namespace Atrous;

/// <summary>
/// A device failed while it worked: its driver or one of its libraries says so. Where it is not lost, the same work may
/// succeed a moment later, or on another device.
/// </summary>
public class DeviceException : AtrousException
{
    public DeviceException(string message)
        : base(message)
    {
    }

    public DeviceException(string message, Exception inner)
        : base(message, inner)
    {
    }

    /// <summary>True where the device does nothing any more in this process; another process may have it.</summary>
    public bool IsLost { get; private protected init; }
}
