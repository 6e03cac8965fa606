namespace Atrous;

/// <summary>
/// Counts the runs of something that can be disposed at any time: it is freed when it is disposed and the last run has
/// ended, so that no run finds what it uses gone.
/// </summary>
/// <param name="free">Called once, on the thread that ends last.</param>
internal sealed class UseCount(Action free)
{
    // Its owner is the first user.
    private int _users = 1;
    private int _ended;

    /// <summary>A run begins.</summary>
    /// <param name="owner">What the exception is to name.</param>
    /// <exception cref="ObjectDisposedException">It comes too late.</exception>
    public void Begin(object owner)
    {
        for (int users = Volatile.Read(ref _users); users > 0; users = Volatile.Read(ref _users))
        {
            ObjectDisposedException.ThrowIf(Volatile.Read(ref _ended) != 0, owner);
            if (Interlocked.CompareExchange(ref _users, users + 1, users) == users)
                return;
        }
        throw new ObjectDisposedException(owner.GetType().FullName);
    }

    /// <summary>A run that had begun has ended.</summary>
    public void Finish()
    {
        if (Interlocked.Decrement(ref _users) == 0)
            free();
    }

    /// <summary>The owner needs it no more; again and again, if it likes.</summary>
    public void End()
    {
        if (Interlocked.Exchange(ref _ended, 1) == 0)
            Finish();
    }
}
