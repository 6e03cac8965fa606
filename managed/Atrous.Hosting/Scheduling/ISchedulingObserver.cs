namespace Atrous.Hosting.Scheduling;

/// <summary>Learns what a queue's requests did.</summary>
internal interface ISchedulingObserver
{
    /// <summary>Some ran together, and well. They are not answered yet.</summary>
    /// <param name="requests">The requests of the batch that ran.</param>
    /// <param name="elapsed">How long the batch had the device.</param>
    void Ran(IReadOnlyList<QueuedRequest> requests, TimeSpan elapsed);
}
