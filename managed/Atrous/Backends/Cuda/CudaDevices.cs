using System.Globalization;
using Atrous.ManagedCuda;
using Atrous.ManagedCuda.CUBLAS;
using Atrous.ManagedCuda.CUDNN;
using Atrous.ManagedCuda.Libraries;

namespace Atrous.Backends.Cuda;

/// <summary>The CUDA devices of this machine as rows of the list of devices, or why there are none.</summary>
internal static class CudaDevices
{
    /// <summary>
    /// What the PTX of native/cuda is written for: Turing, and Ampere where products round to bfloat16 or TF32.
    /// </summary>
    private static readonly Version Oldest = new(7, 5), OldestOfNarrow = new(8, 0);

    /// <summary>
    /// A row a device, "cuda:0" first; one row "cuda" where the driver cannot be used, with what was tried.
    /// </summary>
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

    /// <summary>Whether there is a driver with a device, usable or not.</summary>
    public static bool Exist()
    {
        if (!CudaLibraryProbe.TryLoad(CudaLibraryName.Driver, out _))
            return false;
        try
        {
            return CudaContext.GetDeviceCount() > 0;
        }
        catch (CudaException)
        {
            return false;
        }
    }

    /// <summary>The number of "cuda" (the first) or "cuda:n".</summary>
    /// <exception cref="UnavailableException">There is no such device, or it cannot be used.</exception>
    public static int Find(string device)
    {
        IReadOnlyList<DeviceInfo> devices = List();
        DeviceInfo row = device == "cuda" || devices[0].Name == "cuda"
            ? devices[0]
            : devices.FirstOrDefault(row => row.Name == device)
                ?? throw new UnavailableException(
                    $"There is no device '{device}'; there are {string.Join(", ", devices.Select(row => row.Name))}.");
        return row.Available
            ? devices.Index().Single(entry => entry.Item == row).Index
            : throw new UnavailableException($"The device '{device}' cannot be used: {row.Detail.TrimEnd('.')}.")
            {
                Remedy = Remedy.UseCpu,
            };
    }

    /// <summary>Opens a device for a precision.</summary>
    /// <exception cref="UnavailableException">It cannot be used, or has not the precision.</exception>
    public static CudaDevice Open(int id, Precision precision, CudaOptions options)
    {
        var device = new CudaDevice(id, options.MemoryLimit);
        Version capability = device.Properties.ComputeCapability;
        if (capability >= OldestOfNarrow || precision is Precision.Fp32 or Precision.Fp16)
            return device;
        string name = device.Properties.DeviceName;
        device.Dispose();
        throw new UnavailableException(
            $"{device.Name} ({name}) has compute capability {capability}, and " +
            $"{precision.ToString().ToLowerInvariant()} needs {OldestOfNarrow}; use fp16 or fp32.")
        {
            Remedy = Remedy.ChangePrecision,
        };
    }

    private static DeviceInfo Describe(int id, string driver)
    {
        CudaDeviceProperties device = CudaContext.GetDeviceInfo(id);
        string memory = (device.TotalGlobalMemory / (double)(1 << 30)).ToString("0.0", CultureInfo.InvariantCulture);
        string what =
            $"{device.DeviceName}, compute capability {device.ComputeCapability}, {device.MultiProcessorCount} " +
            $"multiprocessor(s), {memory} GiB, {driver}";
        if (device.ComputeCapability < Oldest)
            return new DeviceInfo($"cuda:{id}", false, $"{what}; Atrous's kernels need compute capability {Oldest}");
        try
        {
            return new DeviceInfo(
                $"cuda:{id}", true, $"{what}, cuDNN {CudaDNNContext.GetVersion()}, cuBLASLt {CudaBlasLt.GetVersion()}");
        }
        catch (CudaLibraryNotFoundException e)
        {
            return new DeviceInfo($"cuda:{id}", false, $"{what}; {e.Message}");
        }
    }
}
