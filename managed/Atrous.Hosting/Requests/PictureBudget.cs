using Atrous.Tensors;

namespace Atrous.Hosting.Requests;

/// <summary>
/// The memory that decoded pictures, their masks and their answers may take together: a small file can be a large
/// picture, and many at a time would end the process. Who finds no room waits for a turn, small pictures for none where
/// they fit.
/// </summary>
/// <param name="most">The bytes of all. A picture that takes more than all of it has its turn when it is alone.</param>
internal sealed class PictureBudget(long most)
{
    /// <summary>A picture of so small a part of all lets no other one wait longer.</summary>
    private const int PartOfSmall = 64;

    /// <summary>
    /// After so many bytes of pictures, of one or of several at once, the memory of what is gone is given back to the
    /// system.
    /// </summary>
    private const long Large = 64 << 20;

    /// <summary>After so long without pictures, and again: the last answer may take longer than its picture.</summary>
    private static readonly TimeSpan[] Quiet = [TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(10)];

    private readonly Lock _lock = new();
    private readonly LinkedList<PictureLease> _waiting = [];
    private long _held;
    private bool _wasLarge;

    /// <summary>Bytes that are taken now.</summary>
    public long Held
    {
        get
        {
            lock (_lock)
                return _held;
        }
    }

    /// <summary>How many wait for their turn.</summary>
    public int Waiting
    {
        get
        {
            lock (_lock)
                return _waiting.Count;
        }
    }

    /// <summary>A quarter of the memory that this process may use.</summary>
    public static long Usual => Math.Max(GC.GetGCMemoryInfo().TotalAvailableMemoryBytes / 4, Large);

    /// <summary>The bytes of all.</summary>
    public long Most => most;

    /// <summary>As <see cref="TakeAsync(long, CancellationToken)"/>, for so long at most.</summary>
    /// <param name="bytes">What picture, mask and answer take, roughly.</param>
    /// <param name="limit">The longest wait; null for none.</param>
    /// <param name="time">The clock that measures the wait.</param>
    /// <param name="cancellationToken">Ends the waiting for a turn.</param>
    /// <exception cref="RequestTimeoutException">There was no room within the limit.</exception>
    public async Task<PictureLease> TakeAsync(
        long bytes, TimeSpan? limit, TimeProvider time, CancellationToken cancellationToken)
    {
        using var clock = new CancellationTokenSource(limit ?? Timeout.InfiniteTimeSpan, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, clock.Token);
        try
        {
            return await TakeAsync(bytes, either.Token).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            throw new RequestTimeoutException(
                $"There was no memory for the picture within {limit!.Value.TotalSeconds:0.###} s; try again later.");
        }
    }

    /// <summary>Takes memory for a picture, until what is returned is disposed.</summary>
    /// <param name="bytes">What picture, mask and answer take, roughly.</param>
    /// <param name="cancellationToken">Ends the waiting for a turn.</param>
    public async Task<PictureLease> TakeAsync(long bytes, CancellationToken cancellationToken)
    {
        var lease = new PictureLease(this, Math.Min(bytes, most));
        lock (_lock)
        {
            bool first = _waiting.Count == 0 || lease.Bytes <= most / PartOfSmall;
            if (first && _held + lease.Bytes <= most)
                Give(lease);
            else
                _waiting.AddLast(lease);
        }
        using CancellationTokenRegistration registration = cancellationToken.UnsafeRegister(
            static (state, token) => ((PictureLease)state!).GiveUp(token), lease);
        await lease.Turn.ConfigureAwait(false);
        return lease;
    }

    private void Give(PictureLease lease)
    {
        _held += lease.Bytes;
        _wasLarge |= _held >= Large;
        lease.Begin();
    }

    /// <summary>Takes a lease out of the queue; false where it waits no more.</summary>
    internal bool Remove(PictureLease lease)
    {
        lock (_lock)
            return _waiting.Remove(lease);
    }

    /// <summary>Gives memory back, and who waited has a turn.</summary>
    internal void Return(long bytes)
    {
        bool trim = false;
        lock (_lock)
        {
            _held -= bytes;
            while (_waiting.First is { } next && _held + next.Value.Bytes <= most)
            {
                _waiting.RemoveFirst();
                Give(next.Value);
            }
            if (_held == 0 && _wasLarge)
                (trim, _wasLarge) = (true, false);
        }
        if (trim)
            _ = TrimAsync();
    }

    /// <summary>Masks of large pictures are large arrays, which the collector is in no hurry to give back.</summary>
    private async Task TrimAsync()
    {
        foreach (TimeSpan time in Quiet)
        {
            await Task.Delay(time).ConfigureAwait(false);
            if (Held != 0)
                continue;
            NativeBuffer.ReleaseIdle();
            GC.Collect(GC.MaxGeneration, GCCollectionMode.Aggressive, blocking: true, compacting: true);
        }
    }
}
