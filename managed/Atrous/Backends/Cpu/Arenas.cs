using Atrous.Tensors;

namespace Atrous.Backends.Cpu;

/// <summary>
/// The arenas that graphs take turns with: one for each run that goes on at a time, however many models and shapes are
/// compiled. Each is as large as the largest of the graphs; when that is disposed, so are the arenas of its size.
/// </summary>
internal sealed class Arenas
{
    /// <summary>Of all CPU backends of the process.</summary>
    public static Arenas Shared { get; } = new();

    private readonly List<NativeBuffer> _idle = [];
    private readonly List<long> _needs = [];
    private long _largest;

    /// <summary>Arenas that are kept for the next runs.</summary>
    public int Idle
    {
        get
        {
            lock (_idle)
                return _idle.Count;
        }
    }

    /// <summary>A graph is compiled that needs so many bytes.</summary>
    public void Register(long size)
    {
        lock (_idle)
        {
            _needs.Add(size);
            _largest = Math.Max(_largest, size);
        }
    }

    /// <summary>A graph that was registered runs no more, or only what is under way.</summary>
    public void Unregister(long size)
    {
        lock (_idle)
        {
            _needs.Remove(size);
            _largest = _needs.Count == 0 ? 0 : _needs.Max();
            for (int i = _idle.Count - 1; i >= 0; i--)
            {
                // A graph whose every value is the caller's needs an arena of no bytes.
                if (_needs.Count == 0 || _idle[i].SizeInBytes > _largest)
                    Free(i);
            }
        }
    }

    /// <summary>An arena of at least so many bytes, the caller's until <see cref="Return"/>.</summary>
    /// <exception cref="OutOfMemoryException">The system has no such block to give.</exception>
    public NativeBuffer Take(long size)
    {
        long wanted;
        lock (_idle)
        {
            for (int i = _idle.Count - 1; i >= 0; i--)
            {
                if (_idle[i].SizeInBytes < size)
                    continue;
                NativeBuffer arena = _idle[i];
                _idle.RemoveAt(i);
                return arena;
            }
            // It grows: the new one takes the place of one that is too small.
            if (_idle.Count > 0)
                Free(_idle.Count - 1);
            wanted = Math.Max(size, _largest);
        }
        return new NativeBuffer(wanted);
    }

    /// <summary>Gives an arena back.</summary>
    public void Return(NativeBuffer arena)
    {
        lock (_idle)
        {
            if (_needs.Count > 0 && arena.SizeInBytes <= _largest)
            {
                _idle.Add(arena);
                return;
            }
        }
        arena.Dispose();
    }

    private void Free(int index)
    {
        _idle[index].Dispose();
        _idle.RemoveAt(index);
    }
}
