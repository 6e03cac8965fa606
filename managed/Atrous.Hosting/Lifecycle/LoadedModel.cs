using Atrous.Hosting.Scheduling;

namespace Atrous.Hosting.Lifecycle;

/// <summary>
/// One loaded checkpoint, counted by its users: it is freed when its place is taken and the last of them has gone.
/// </summary>
/// <param name="segmenter">The loaded checkpoint, which this object disposes.</param>
/// <param name="queue">The queue in which requests for it wait.</param>
/// <param name="generation">Which load of the model this is, from 1.</param>
internal sealed class LoadedModel(Segmenter segmenter, RequestQueue queue, int generation)
{
    private readonly TaskCompletionSource _freed = new(TaskCreationOptions.RunContinuationsAsynchronously);
    // The place itself is the first user.
    private int _users = 1;

    public Segmenter Segmenter => segmenter;

    public RequestQueue Queue => queue;

    public int Generation => generation;

    /// <summary>Ends when the model is freed.</summary>
    public Task Freed => _freed.Task;

    /// <summary>Counts a user, who must <see cref="Release"/> it. Only while something else still counts.</summary>
    public void Acquire() => Interlocked.Increment(ref _users);

    /// <summary>A user has gone, or the model has lost its place.</summary>
    public void Release()
    {
        if (Interlocked.Decrement(ref _users) > 0)
            return;
        segmenter.Dispose();
        _freed.TrySetResult();
    }
}
