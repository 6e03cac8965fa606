using System.Diagnostics.CodeAnalysis;

namespace Atrous.Hosting.Scheduling;

/// <summary>
/// Requests in the order in which they are served: by priority, then by arrival. Guarded by the device's lock.
/// </summary>
internal sealed class RequestList(int levels)
{
    private readonly LinkedList<QueuedRequest>[] _levels =
        [.. Enumerable.Range(0, levels).Select(_ => new LinkedList<QueuedRequest>())];

    public int Count { get; private set; }

    /// <summary>In order.</summary>
    public IEnumerable<QueuedRequest> All => _levels.SelectMany(level => level);

    /// <summary>Requests of this level and of those that are served before it.</summary>
    public int CountUpTo(int priority)
    {
        int count = 0;
        for (int i = 0; i < priority; i++)
            count += _levels[i].Count;
        return count;
    }

    public bool TryPeek([NotNullWhen(true)] out QueuedRequest? first)
    {
        foreach (LinkedList<QueuedRequest> level in _levels)
        {
            if (level.First is { } node)
            {
                first = node.Value;
                return true;
            }
        }
        first = null;
        return false;
    }

    public void Add(QueuedRequest request)
    {
        LinkedList<QueuedRequest> level = _levels[request.Priority - 1];
        // Preparation may end in another order than it began in.
        LinkedListNode<QueuedRequest>? before = level.Last;
        while (before is not null && before.Value.Sequence > request.Sequence)
            before = before.Previous;
        request.Node = before is null ? level.AddFirst(request) : level.AddAfter(before, request);
        Count++;
    }

    public void Remove(QueuedRequest request)
    {
        _levels[request.Priority - 1].Remove(request.Node!);
        request.Node = null;
        Count--;
    }
}
