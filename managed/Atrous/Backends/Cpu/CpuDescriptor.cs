using System.Globalization;
using Atrous.Native;

namespace Atrous.Backends.Cpu;

/// <summary>
/// The processor: on every machine, and what "auto" takes where there is nothing better. "cpu" is all cores together;
/// "cpu:n" those of one node (<see cref="ProcessorNode"/>), "cpu:n,m" some, "cpu:all" each by itself.
/// </summary>
/// <param name="nodes">The nodes of this machine.</param>
internal sealed class CpuDescriptor(Func<IReadOnlyList<ProcessorNode>> nodes) : BackendDescriptor
{
    public CpuDescriptor()
        : this(ProcessorNode.All)
    {
    }

    public override string Name => "cpu";

    public override string Names => "cpu[:n,...|:all]";

    /// <summary>"cpu:1" of a node; "cpu" of none.</summary>
    public static string NameOf(ProcessorNode? node) =>
        node is null ? "cpu" : string.Create(CultureInfo.InvariantCulture, $"cpu:{node.Number}");

    public override bool Has(string device) =>
        device == Name || device.StartsWith($"{Name}:", StringComparison.Ordinal);

    public override bool IsAutomatic() => true;

    public override IReadOnlyList<DeviceInfo> Devices()
    {
        try
        {
            using var backend = new CpuBackend();
            var all = new DeviceInfo(Name, true, $"{backend.InstructionSet}, {backend.Threads} thread(s)");
            return nodes() is { Count: > 1 } several
                ? [all, .. several.Select(node => new DeviceInfo(
                    NameOf(node), true, $"node {node.Number}, {node.Threads} thread(s)"))]
                : [all];
        }
        catch (Exception e) when (e is UnavailableException or ArgumentException)
        {
            return [new DeviceInfo(Name, false, e.Message)];
        }
    }

    public override IReadOnlyList<string> Members(string device) =>
        Numbered(device, "node", () => [.. nodes().Select(NameOf)]);

    public override IBackend Open(string device, BackendSettings settings)
    {
        if (device == Name)
            return new CpuBackend(settings.Threads, settings.Precision);
        IReadOnlyList<ProcessorNode> all = nodes();
        ProcessorNode node = all.FirstOrDefault(node => NameOf(node) == device) ?? throw new UnavailableException(
            $"There is no device '{device}'; there are cpu, {string.Join(", ", all.Select(NameOf))}.");
        return new CpuBackend(settings.Threads, settings.Precision, node);
    }
}
