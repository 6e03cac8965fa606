using Atrous.Backends.Cpu;
using Atrous.Backends.Cuda;
using Atrous.Backends.Reference;

namespace Atrous.Backends;

/// <summary>A device that Atrous knows, and whether this machine has it.</summary>
/// <param name="Name">As --device takes it.</param>
/// <param name="Available">It can be opened here.</param>
/// <param name="Detail">What it is, or why it cannot be used.</param>
public sealed record DeviceInfo(string Name, bool Available, string Detail);

/// <summary>The one list of backends.</summary>
public static class BackendRegistry
{
    /// <summary>Every device, the best first.</summary>
    public static IReadOnlyList<DeviceInfo> Devices() => [.. CudaDevices.List(), Cpu(), Reference];

    /// <summary>Opens a device.</summary>
    /// <param name="device">"auto" (the best that is available), "cpu", "reference", "cuda" or "cuda:n".</param>
    /// <param name="precision">Number format of weights and activations.</param>
    /// <param name="threads">Threads of the CPU backend; 0 for one per core.</param>
    /// <param name="cuda">How a CUDA device is used; null for the defaults.</param>
    /// <exception cref="UnavailableException">
    /// There is no such device here, or it does not have that precision.
    /// </exception>
    public static IBackend Open(string device, Precision precision, int threads, CudaOptions? cuda = null) =>
        Open(device, precision, threads, cuda, out _);

    /// <summary>Opens a device and tells why "auto" passed over a GPU.</summary>
    /// <param name="device">"auto" (the best that is available), "cpu", "reference", "cuda" or "cuda:n".</param>
    /// <param name="precision">Number format of weights and activations.</param>
    /// <param name="threads">Threads of the CPU backend; 0 for one per core.</param>
    /// <param name="cuda">How a CUDA device is used; null for the defaults.</param>
    /// <param name="passedOver">
    /// Why "auto" did not take a GPU that this machine has; null where it has none, or took it.
    /// </param>
    public static IBackend Open(string device, Precision precision, int threads, CudaOptions? cuda, out string? passedOver)
    {
        passedOver = null;
        if (device == "auto" && CudaDevices.Exist())
        {
            try
            {
                return new CudaBackend(CudaDevices.Find("cuda"), precision, cuda);
            }
            catch (UnavailableException e)
            {
                passedOver = e.Message;
            }
        }
        try
        {
            return device switch
            {
                "auto" or "cpu" => new CpuBackend(threads, precision),
                "reference" when precision == Precision.Fp32 => new ReferenceBackend(),
                "reference" => throw new UnavailableException(
                    $"The device reference computes in double precision and answers in fp32; it does not have {precision.ToString().ToLowerInvariant()}."),
                _ when device == "cuda" || device.StartsWith("cuda:", StringComparison.Ordinal) => new CudaBackend(CudaDevices.Find(device), precision, cuda),
                _ => throw new UnavailableException($"There is no device '{device}'; there are auto, cpu, reference and cuda[:n]."),
            };
        }
        catch (UnavailableException e) when (passedOver is { } gpu)
        {
            throw new UnavailableException($"{e.Message} {gpu}");
        }
    }

    private static readonly DeviceInfo Reference = new("reference", true, "plain loops in double precision; slow, the definition of correct");

    private static DeviceInfo Cpu()
    {
        try
        {
            using var backend = new CpuBackend();
            return new DeviceInfo(backend.Name, true, $"{backend.InstructionSet}, {backend.Threads} thread(s)");
        }
        catch (Exception e) when (e is UnavailableException or ArgumentException)
        {
            return new DeviceInfo("cpu", false, e.Message);
        }
    }
}
