using Atrous.Backends;
using Atrous.Backends.Cpu;
using Atrous.Backends.Cuda;
using Atrous.Backends.Reference;
using Atrous.Backends.Replicas;

namespace Atrous;

/// <summary>The one list of backends.</summary>
public static class BackendRegistry
{
    /// <summary>The best first: "auto" takes the first that this machine has.</summary>
    private static readonly BackendDescriptor[] All =
        [new CudaDescriptor(), new CpuDescriptor(), new ReferenceDescriptor()];

    /// <summary>Every device that Atrous knows, the best first, with those that cannot be used here and why.</summary>
    public static IReadOnlyList<DeviceInfo> Devices() => [.. All.SelectMany(backend => backend.Devices())];

    /// <summary>Opens a device for graphs of one's own, or to stand behind a backend of one's own.</summary>
    /// <param name="device">
    /// "auto" (the best that is available), "cpu", "reference", "cuda" or "cuda:n"; "cuda:0,1" or "cuda:all" for
    /// several GPUs, "cpu:0,1" or "cpu:all" for nodes of the processor, each of which has the networks.
    /// </param>
    /// <param name="precision">The number format of weights and activations.</param>
    /// <param name="threads">The threads of the CPU backend, the caller's included; 0 for one per core.</param>
    /// <returns>The backend, which the caller disposes.</returns>
    /// <exception cref="UnavailableException">
    /// There is no such device here, or it does not have that precision.
    /// </exception>
    public static IBackend Open(string device, Precision precision = Precision.Fp32, int threads = 0) =>
        Open(device, new BackendSettings(precision, threads), out _);

    /// <inheritdoc cref="Open(string, Precision, int)"/>
    /// <param name="device">
    /// "auto" (the best that is available), "cpu", "reference", "cuda" or "cuda:n"; "cuda:0,1" or "cuda:all" for
    /// several GPUs, "cpu:0,1" or "cpu:all" for nodes of the processor, each of which has the networks.
    /// </param>
    /// <param name="settings">How it is to compute.</param>
    /// <param name="passedOver">
    /// Why "auto" did not take a better device that this machine has; null where it has none, or took it.
    /// </param>
    internal static IBackend Open(string device, BackendSettings settings, out string? passedOver)
    {
        passedOver = null;
        if (device == "auto")
            return Best(settings, out passedOver);
        BackendDescriptor backend = Array.Find(All, backend => backend.Has(device))
            ?? throw new UnavailableException($"There is no device '{device}'; there are auto, {Names()}.");
        IReadOnlyList<string> members = backend.Members(device);
        return members.Count == 1 ? backend.Open(members[0], settings) : Together(backend, members, settings);
    }

    /// <summary>
    /// Whether a model that was quantised runs in 8 bits on a device where nobody asks for another precision; "auto"
    /// then takes one that does.
    /// </summary>
    internal static bool PrefersInt8(string device) =>
        Array.Find(All, backend => backend.Has(device))?.PrefersInt8 ?? true;

    private static ReplicaBackend Together(
        BackendDescriptor backend, IReadOnlyList<string> members, BackendSettings settings)
    {
        var opened = new List<IBackend>();
        try
        {
            foreach (string member in members)
                opened.Add(backend.Open(member, settings));
            // "cuda:0,1".
            int number = backend.Name.Length + 1;
            return ReplicaBackend.Of(
                $"{backend.Name}:{string.Join(',', members.Select(member => member[number..]))}", opened);
        }
        catch
        {
            opened.ForEach(each => each.Dispose());
            throw;
        }
    }

    private static IBackend Best(BackendSettings settings, out string? passedOver)
    {
        passedOver = null;
        BackendDescriptor[] candidates = [.. All.Where(backend => backend.IsAutomatic())];
        foreach (BackendDescriptor backend in candidates[..^1])
        {
            try
            {
                return backend.Open(backend.Name, settings);
            }
            catch (UnavailableException e)
            {
                passedOver = passedOver is null ? e.Message : $"{passedOver} {e.Message}";
            }
        }
        try
        {
            return candidates[^1].Open(candidates[^1].Name, settings);
        }
        catch (UnavailableException e) when (passedOver is { } better)
        {
            throw new UnavailableException($"{e.Message} {better}");
        }
    }

    private static string Names()
    {
        string[] names = [.. All.Select(backend => backend.Names).Order(StringComparer.Ordinal)];
        return $"{string.Join(", ", names[..^1])} and {names[^1]}";
    }
}
