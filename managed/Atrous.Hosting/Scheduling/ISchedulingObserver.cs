namespace Atrous.Hosting.Scheduling;

/// <summary>Learns what a queue's requests did.</summary>
internal interface ISchedulingObserver
{
    /// <summary>Some ran together, and well. They are not answered yet.</summary>
    /// <param name="requests">Of the batch.</param>
    /// <param name="elapsed">The device's time.</param>
    void Ran(IReadOnlyList<QueuedRequest> requests, TimeSpan elapsed);
}
