namespace Atrous.Backends.Replicas;

/// <summary>One network on every device of a set.</summary>
/// <typeparam name="T">What a device makes of a network.</typeparam>
internal sealed class ReplicaNetworks<T> : IDisposable
    where T : IDisposable
{
    private readonly ReplicaSet _replicas;
    private readonly List<Slot> _slots = [];

    /// <summary>Compiles it on every device that works.</summary>
    /// <exception cref="DeviceLostException">None does.</exception>
    public ReplicaNetworks(ReplicaSet replicas, Func<IBackend, T> compile)
    {
        _replicas = replicas;
        try
        {
            foreach (Replica replica in replicas.All)
            {
                // The last is asked in any case: where none works, it says so.
                bool isLast = _slots.Count == 0 && replica == replicas.All[^1];
                if (!replicas.Has(replica) && !isLast)
                    continue;
                try
                {
                    _slots.Add(new Slot(replica, compile(replica.Backend)));
                }
                catch (DeviceLostException e) when (replicas.TakeOut(replica, e) && !isLast)
                {
                    // The others compile it.
                }
            }
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    /// <summary>Any of them: what they are made from is the same.</summary>
    public T First => _slots[0].Network;

    /// <summary>Runs it on a device that is free; if that is lost meanwhile, once more on another.</summary>
    /// <exception cref="DeviceLostException">No other is left, or that one is lost as well.</exception>
    public void Run(Action<T> run)
    {
        for (bool again = false; ; again = true)
        {
            Slot slot = Take();
            try
            {
                run(slot.Network);
                return;
            }
            catch (DeviceLostException e)
            {
                if (!_replicas.TakeOut(slot.Replica, e) || again)
                    throw;
            }
            finally
            {
                lock (_replicas.Lock)
                    slot.Replica.Running--;
            }
        }
    }

    /// <inheritdoc/>
    public void Dispose() => _slots.ForEach(slot => slot.Network.Dispose());

    /// <summary>
    /// The device that is at the fewest runs, and of these the one that ran this network least, so that as many runs in
    /// a row as there are devices warm all of them.
    /// </summary>
    private Slot Take()
    {
        lock (_replicas.Lock)
        {
            // Where none works, any says so.
            Slot slot = _slots.Where(slot => !slot.Replica.IsLost)
                .MinBy(slot => (slot.Replica.Running, slot.Runs)) ?? _slots[0];
            slot.Replica.Running++;
            slot.Runs++;
            return slot;
        }
    }

    /// <summary>The network on one device.</summary>
    private sealed class Slot(Replica replica, T network)
    {
        public Replica Replica => replica;

        public T Network => network;

        /// <summary>How often it ran; guarded by the set's lock.</summary>
        public long Runs { get; set; }
    }
}
