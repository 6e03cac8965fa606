namespace Atrous.Hosting.Scheduling;

/// <summary>The stages of a run.</summary>
/// <param name="Preprocess">The time to resize and normalise the pictures.</param>
/// <param name="Network">The time of the network's run.</param>
/// <param name="Postprocess">The time from the network's output to the results.</param>
/// <param name="BatchSize">The number of works that ran together.</param>
internal readonly record struct StageTimes(TimeSpan Preprocess, TimeSpan Network, TimeSpan Postprocess, int BatchSize);

/// <summary>
/// Something for a device to do. It is prepared by itself, runs together with others of its key, and is freed.
/// </summary>
internal abstract class Work
{
    /// <summary>Works of equal keys run together.</summary>
    public abstract object Key { get; }

    /// <summary>Works of this key that are worth running together.</summary>
    public virtual int WorthwhileBatch => int.MaxValue;

    /// <summary>There is something to prepare.</summary>
    public abstract bool NeedsPreparation { get; }

    /// <summary>What can be done without the device; on a thread of the pool, beside the device's runs.</summary>
    public abstract void Prepare();

    /// <summary>Where the time of the run went, of the whole batch; once it has run.</summary>
    public StageTimes Stages { get; protected set; }

    /// <summary>
    /// Runs works of this one's key, of which it is the first. The device's turn lasts until it returns.
    /// </summary>
    public abstract void Run(IReadOnlyList<Work> batch, CancellationToken cancellationToken);

    /// <summary>Called once, when neither thread nor device uses it any more: frees what it holds.</summary>
    /// <param name="delivered">The caller gets the result, and owns it; otherwise the result is freed as well.</param>
    public abstract void Release(bool delivered);
}
