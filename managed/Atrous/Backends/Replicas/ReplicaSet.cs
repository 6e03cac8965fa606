namespace Atrous.Backends.Replicas;

/// <summary>One device of several; what changes is guarded by the set's lock.</summary>
internal sealed class Replica(IBackend backend)
{
    public IBackend Backend => backend;

    /// <summary>Runs that it is at.</summary>
    public int Running { get; set; }

    /// <summary>It does nothing any more.</summary>
    public bool IsLost { get; set; }
}

/// <summary>The devices, and which of them still work.</summary>
/// <param name="name">What they are called together.</param>
/// <param name="backends">One for each device.</param>
internal sealed class ReplicaSet(string name, IReadOnlyList<IBackend> backends)
{
    /// <summary>Guards who runs and who is lost.</summary>
    public Lock Lock { get; } = new();

    public IReadOnlyList<Replica> All { get; } = [.. backends.Select(backend => new Replica(backend))];

    /// <summary>Is told, in a sentence, of every device that is taken out.</summary>
    public Action<string>? Lost { get; set; }

    /// <summary>Whether the device works.</summary>
    public bool Has(Replica replica)
    {
        lock (Lock)
            return !replica.IsLost;
    }

    /// <summary>A device is lost.</summary>
    /// <returns>Whether another is left.</returns>
    public bool TakeOut(Replica replica, DeviceLostException why)
    {
        int left;
        lock (Lock)
        {
            if (replica.IsLost)
                return All.Any(other => !other.IsLost);
            replica.IsLost = true;
            left = All.Count(other => !other.IsLost);
        }
        if (left > 0)
            Lost?.Invoke($"{why.Message} {name} goes on with the other {(left == 1 ? "one" : left)}.");
        return left > 0;
    }
}
