namespace Atrous.Backends.Cpu;

/// <summary>The processor: on every machine, and what "auto" takes where there is nothing better.</summary>
internal sealed class CpuDescriptor : BackendDescriptor
{
    public override string Name => "cpu";

    public override bool IsAutomatic() => true;

    public override IReadOnlyList<DeviceInfo> Devices()
    {
        try
        {
            using var backend = new CpuBackend();
            return [new DeviceInfo(Name, true, $"{backend.InstructionSet}, {backend.Threads} thread(s)")];
        }
        catch (Exception e) when (e is UnavailableException or ArgumentException)
        {
            return [new DeviceInfo(Name, false, e.Message)];
        }
    }

    public override IBackend Open(string device, BackendSettings settings) =>
        new CpuBackend(settings.Threads, settings.Precision);
}
