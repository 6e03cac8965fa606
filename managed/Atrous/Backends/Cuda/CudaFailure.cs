using System.Globalization;
using Atrous.ManagedCuda;
using Atrous.ManagedCuda.CUBLAS;
using Atrous.ManagedCuda.CUDNN;
using Atrous.ManagedCuda.Libraries;

namespace Atrous.Backends.Cuda;

/// <summary>A device that has not the memory that was asked for.</summary>
internal sealed class CudaMemoryException : MemoryException
{
    private const Remedy Remedies = Remedy.SlideWindow | Remedy.UseHalfPrecision;

    /// <summary>It has not the memory.</summary>
    public CudaMemoryException(CudaDevice device, long bytes, string purpose, Exception inner)
        : base(Sentence(device, bytes, purpose), inner) => Remedy = Remedies;

    /// <summary>It may not take the memory.</summary>
    public CudaMemoryException(CudaDevice device, long bytes, string purpose, long limit)
        : base(
            $"The device {device.Name} has no {MiB(bytes)} MiB for {purpose}: {MiB(device.UsedBytes)} of the " +
            $"{MiB(limit)} MiB of {CudaOptions.MemoryVariable} are in use; use a smaller batch, a sliding window or " +
            "fp16, or a higher limit.") => Remedy = Remedies;

    private static string Sentence(CudaDevice device, long bytes, string purpose)
    {
        string left = "";
        try
        {
            (long free, long total) = device.Context.GetMemoryInfo();
            left = $", and {MiB(free)} of its {MiB(total)} MiB are free";
        }
        catch (CudaException)
        {
            // The sentence is good without the figures.
        }
        return $"The device {device.Name} has no {MiB(bytes)} MiB for {purpose}{left}; use a smaller batch, a " +
            "sliding window or fp16, or end other programs that use it.";
    }

    private static string MiB(long bytes) =>
        Math.Ceiling(bytes / (double)(1 << 20)).ToString("0", CultureInfo.InvariantCulture);
}

/// <summary>Failures of NVIDIA's libraries, in Atrous's words.</summary>
internal static class CudaFailure
{
    /// <summary>True for what the bindings throw.</summary>
    public static bool IsOne(Exception e) =>
        e is CudaException or CudaDNNException or CudaBlasException or CudaLibraryNotFoundException
        or ArgumentOutOfRangeException { ParamName: "deviceId" } or EntryPointNotFoundException;

    /// <summary>One sentence with what to do.</summary>
    /// <param name="e">What the bindings threw.</param>
    /// <param name="device">The device on which it happened; the sentence names it.</param>
    public static AtrousException Explain(Exception e, CudaDevice device) =>
        // A library tells of its own failure only; what the driver says of the device is the cause.
        Sentence(e is CudaDNNException or CudaBlasException ? device.Lost() ?? e : e, device);

    private static AtrousException Sentence(Exception e, CudaDevice device) => e switch
    {
        EntryPointNotFoundException => new UnavailableException(
            $"A library of NVIDIA's that {device.Name} needs is too old or too new ({e.Message.TrimEnd('.')}); " +
            "update NVIDIA's driver.")
        {
            Remedy = Remedy.UseCpu,
        },
        CudaException { CudaError: CUResult.ErrorOutOfMemory } => new CudaMemoryException(device, 0, "this network", e),
        CudaException
        {
            CudaError: CUResult.ErrorInvalidPtx or CUResult.ErrorUnsupportedPtxVersion
            or CUResult.ErrorNoBinaryForGPU or CUResult.ErrorInvalidImage
        } =>
            new UnavailableException(
                $"The driver of {device.Name} cannot compile Atrous's kernels ({e.Message.TrimEnd('.')}); update " +
                $"NVIDIA's driver.")
            {
                Remedy = Remedy.UseCpu,
            },
        CudaException cuda when IsLasting(cuda) => new DeviceLostException(
            $"The device {device.Name} has stopped working in this process ({e.Message.TrimEnd('.')}); start the " +
            $"process again, and see nvidia-smi and the system's log if it happens again.", e),
        _ => new DeviceException(
            $"The device {device.Name} failed: {e.Message.TrimEnd('.')}; use another if it happens again.", e)
        {
            Remedy = Remedy.UseCpu,
        },
    };

    /// <summary>Errors after which a context does nothing any more, by what the driver's documentation says.</summary>
    public static bool IsLasting(Exception e) => e is CudaException
    {
        CudaError: CUResult.ErrorInvalidContext or CUResult.ErrorDeviceUnavailable or CUResult.ErrorEccUncorrectable
            or CUResult.ErrorNvlinkUncorrectable or CUResult.ErrorIllegalAddress or CUResult.ErrorLaunchTimeout
            or CUResult.ErrorContextIsDestroyed or CUResult.ErrorAssert or CUResult.ErrorHardwareStackError
            or CUResult.ErrorIllegalInstruction or CUResult.ErrorMisalignedAddress or CUResult.ErrorInvalidAddressSpace
            or CUResult.ErrorInvalidPc or CUResult.ErrorLaunchFailed or CUResult.ErrorUnknown,
    };
}
