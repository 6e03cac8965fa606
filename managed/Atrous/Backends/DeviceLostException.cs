namespace Atrous.Backends;

/// <summary>A device that does nothing any more in this process; another may do its work.</summary>
internal sealed class DeviceLostException : DeviceException
{
    public DeviceLostException(string message, Exception inner)
        : base(message, inner) => IsLost = true;
}
