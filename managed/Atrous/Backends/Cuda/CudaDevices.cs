using System.Globalization;
using Atrous.ManagedCuda;
using Atrous.ManagedCuda.Libraries;

namespace Atrous.Backends.Cuda;

/// <summary>The CUDA devices of this machine as rows of the list of devices, or why there are none.</summary>
internal static class CudaDevices
{
    /// <summary>A row a device, "cuda:0" first; one row "cuda" where the driver cannot be used, with what was tried.</summary>
    public static IReadOnlyList<DeviceInfo> List()
    {
        try
        {
            string driver = $"driver of CUDA {CudaContext.GetDriverVersion()}";
            int count = CudaContext.GetDeviceCount();
            if (count == 0)
                return [new DeviceInfo("cuda", false, $"{driver}, but no device; see nvidia-smi")];
            return [.. Enumerable.Range(0, count).Select(id => Describe(id, driver))];
        }
        catch (Exception e) when (e is CudaLibraryNotFoundException or CudaException)
        {
            return [new DeviceInfo("cuda", false, e.Message)];
        }
    }

    /// <summary>The row of "cuda" (the first) or "cuda:n".</summary>
    /// <exception cref="UnavailableException">There is no such device.</exception>
    public static DeviceInfo Find(string device)
    {
        IReadOnlyList<DeviceInfo> devices = List();
        return device == "cuda" || devices[0].Name == "cuda"
            ? devices[0]
            : devices.FirstOrDefault(row => row.Name == device)
                ?? throw new UnavailableException($"There is no device '{device}'; there are {string.Join(", ", devices.Select(row => row.Name))}.");
    }

    private static DeviceInfo Describe(int id, string driver)
    {
        CudaDeviceProperties device = CudaContext.GetDeviceInfo(id);
        string memory = (device.TotalGlobalMemory / (double)(1 << 30)).ToString("0.0", CultureInfo.InvariantCulture);
        return new DeviceInfo(
            $"cuda:{id}", false,
            $"{device.DeviceName}, compute capability {device.ComputeCapability}, {device.MultiProcessorCount} multiprocessor(s), {memory} GiB, {driver}; this version of Atrous runs no networks on it");
    }
}
