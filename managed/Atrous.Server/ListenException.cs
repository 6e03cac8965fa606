namespace Atrous.Server;

/// <summary>
/// The server cannot listen on its address: the port is taken or not allowed, or the machine has no such address.
/// </summary>
public sealed class ListenException : AtrousException
{
    public ListenException(string message)
        : base(message)
    {
    }

    public ListenException(string message, Exception inner)
        : base(message, inner)
    {
    }
}
