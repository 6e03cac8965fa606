namespace Atrous.Backends.Cuda;

/// <summary>Counts the runs under way, so that what they use is freed only after the last of them.</summary>
internal sealed class RunGate
{
    private readonly Lock _lock = new();
    private readonly ManualResetEventSlim _empty = new(true);
    private int _running;
    private bool _closed;

    /// <summary>A run begins; <see cref="Leave"/> ends it.</summary>
    /// <exception cref="ObjectDisposedException">The gate is closed.</exception>
    public void Enter(object owner)
    {
        lock (_lock)
        {
            ObjectDisposedException.ThrowIf(_closed, owner);
            if (_running++ == 0)
                _empty.Reset();
        }
    }

    public void Leave()
    {
        lock (_lock)
        {
            if (--_running == 0)
                _empty.Set();
        }
    }

    /// <summary>Lets no run in any more and waits for those that are under way.</summary>
    /// <returns>False where the gate was closed before.</returns>
    public bool Close()
    {
        lock (_lock)
        {
            if (_closed)
                return false;
            _closed = true;
        }
        _empty.Wait();
        return true;
    }
}
