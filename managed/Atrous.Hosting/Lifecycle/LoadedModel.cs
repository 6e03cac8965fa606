namespace Atrous.Hosting.Lifecycle;

/// <summary>
/// One loaded checkpoint, counted by its users: it is freed when its place is taken and the last of them has gone.
/// </summary>
internal sealed class LoadedModel(Segmenter segmenter, int generation)
{
    private readonly TaskCompletionSource _freed = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly Lock _lock = new();
    private int _users;
    private bool _retired;

    public Segmenter Segmenter => segmenter;

    /// <summary>Which load of the model this is, from 1.</summary>
    public int Generation => generation;

    /// <summary>Ends when the model is freed.</summary>
    public Task Freed => _freed.Task;

    /// <summary>Counts a user, who must <see cref="Release"/> it. Only while it is in its place.</summary>
    public void Acquire()
    {
        lock (_lock)
            _users++;
    }

    public void Release()
    {
        lock (_lock)
        {
            if (--_users > 0 || !_retired)
                return;
        }
        Free();
    }

    /// <summary>Another has taken its place, or none: no more users come.</summary>
    public void Retire()
    {
        lock (_lock)
        {
            if (_retired)
                return;
            _retired = true;
            if (_users > 0)
                return;
        }
        Free();
    }

    private void Free()
    {
        segmenter.Dispose();
        _freed.TrySetResult();
    }
}
