namespace Atrous.Hosting.Requests;

/// <summary>A part of the memory of a <see cref="PictureBudget"/>, from its turn until it is disposed.</summary>
internal sealed class PictureLease(PictureBudget budget, long bytes) : IDisposable
{
    private readonly TaskCompletionSource _turn = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private long _bytes = bytes;
    private int _state; // 0: waits, 1: held, 2: over

    /// <summary>Gives the memory back where nobody disposes what holds it.</summary>
    ~PictureLease() => Dispose();

    public long Bytes => Volatile.Read(ref _bytes);

    public Task Turn => _turn.Task;

    public void Begin()
    {
        _state = 1;
        _turn.TrySetResult();
    }

    public void GiveUp(CancellationToken cancellationToken)
    {
        if (budget.Remove(this))
            _turn.TrySetCanceled(cancellationToken);
    }

    /// <summary>
    /// Keeps a part and gives the rest back, which waits for nothing. By whoever disposes it, and not at the same time.
    /// </summary>
    public void Keep(long wanted)
    {
        long rest = _bytes - wanted;
        if (rest <= 0 || Volatile.Read(ref _state) != 1)
            return;
        _bytes = wanted;
        budget.Return(rest);
    }

    public void Dispose()
    {
        GC.SuppressFinalize(this);
        if (Interlocked.CompareExchange(ref _state, 2, 1) == 1)
            budget.Return(_bytes);
    }
}
