using System.Collections.Concurrent;

namespace Atrous.Hosting.Scheduling;

/// <summary>The devices that models run on, one scheduler each.</summary>
internal sealed class Devices(TimeProvider time) : IDisposable
{
    private readonly ConcurrentDictionary<string, Lazy<DeviceScheduler>> _schedulers = new(StringComparer.Ordinal);

    /// <summary>
    /// The scheduler of a device by <see cref="Atrous.Segmenter.Device"/>. The reference runs on the CPU too.
    /// </summary>
    /// <param name="device">The name of the device.</param>
    /// <param name="runsAtOnce">How many batches it is good for; what is asked first holds.</param>
    public DeviceScheduler For(string device, int runsAtOnce)
    {
        string name = device == "reference" ? "cpu" : device;
        return _schedulers.GetOrAdd(
            name, _ => new(() => new DeviceScheduler(name, time, Environment.ProcessorCount, runsAtOnce))).Value;
    }

    public void Dispose()
    {
        foreach (Lazy<DeviceScheduler> scheduler in _schedulers.Values)
            scheduler.Value.Dispose();
        _schedulers.Clear();
    }
}
