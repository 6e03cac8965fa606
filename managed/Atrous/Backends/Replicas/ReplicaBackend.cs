using Atrous.Graph;

namespace Atrous.Backends.Replicas;

/// <summary>
/// Several devices as one: each has the networks with weights of its own, and a run goes to one that is free. A device
/// that is lost is taken out; what it was at is tried once on another. Knows nothing of what its devices are.
/// </summary>
internal class ReplicaBackend : IBackend, IDeviceMemory, IParallelRuns, ISeveralDevices
{
    private readonly ReplicaSet _replicas;

    /// <summary>Takes devices together.</summary>
    /// <param name="name">What they are called together.</param>
    /// <param name="backends">Two or more, which this one disposes.</param>
    protected ReplicaBackend(string name, IReadOnlyList<IBackend> backends)
    {
        Name = name;
        _replicas = new ReplicaSet(name, backends);
    }

    /// <inheritdoc/>
    public string Name { get; }

    /// <inheritdoc/>
    public long PeakDeviceBytes =>
        _replicas.All.Sum(replica => (replica.Backend as IDeviceMemory)?.PeakDeviceBytes ?? 0);

    /// <inheritdoc/>
    public int RunsAtOnce => SumOf(runs => runs.RunsAtOnce);

    /// <inheritdoc/>
    public int RunsToWarmUp => SumOf(runs => runs.RunsToWarmUp);

    /// <inheritdoc/>
    public int Count => _replicas.All.Count;

    /// <inheritdoc/>
    public int LostCount => _replicas.All.Count(replica => !_replicas.Has(replica));

    /// <inheritdoc/>
    public Action<string>? Lost
    {
        get => _replicas.Lost;
        set => _replicas.Lost = value;
    }

    /// <summary>Devices as one; they take pictures where each of them does.</summary>
    /// <inheritdoc cref="ReplicaBackend(string, IReadOnlyList{IBackend})" path="/param"/>
    public static ReplicaBackend Of(string name, IReadOnlyList<IBackend> backends) =>
        backends.All(backend => backend is IPictureBackend)
            ? new PictureReplicas(name, backends)
            : new ReplicaBackend(name, backends);

    /// <inheritdoc/>
    public IExecutable Compile(NetworkGraph graph) =>
        new ReplicaExecutable(Networks(backend => backend.Compile(graph)));

    /// <inheritdoc/>
    public int WorthwhileBatch(int height, int width) =>
        _replicas.All.Max(replica => replica.Backend.WorthwhileBatch(height, width));

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (Replica replica in _replicas.All)
            replica.Backend.Dispose();
    }

    /// <summary>Of the devices that work; those that say nothing count as one.</summary>
    private int SumOf(Func<IParallelRuns, int> runs) => Math.Max(
        1, _replicas.All.Where(_replicas.Has).Sum(replica => replica.Backend is IParallelRuns its ? runs(its) : 1));

    /// <summary>A network on every device that works.</summary>
    protected ReplicaNetworks<T> Networks<T>(Func<IBackend, T> compile)
        where T : IDisposable => new(_replicas, compile);

    /// <summary>The same of devices that take pictures.</summary>
    private sealed class PictureReplicas(string name, IReadOnlyList<IBackend> backends)
        : ReplicaBackend(name, backends), IPictureBackend
    {
        /// <inheritdoc/>
        IPictureExecutable IPictureBackend.Compile(NetworkGraph graph, PictureSource picture) =>
            new PictureReplicaExecutable(
                Networks(backend => ((IPictureBackend)backend).Compile(graph, picture)));
    }
}
