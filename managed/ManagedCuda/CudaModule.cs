using System.Text;
using Atrous.ManagedCuda.Native;
using ModuleHandle = Atrous.ManagedCuda.Native.ModuleHandle;

namespace Atrous.ManagedCuda;

/// <summary>Loaded code: PTX, which the driver compiles for the device at hand, or a cubin.</summary>
public sealed unsafe class CudaModule : IDisposable
{
    private const int LogBytes = 16 * 1024;

    private readonly CudaContext _context;

    /// <summary>Loads code; PTX is compiled now, and the result is cached by the driver.</summary>
    /// <param name="context">The context that the code is loaded into.</param>
    /// <param name="image">The text of PTX (with or without a final zero) or a cubin.</param>
    /// <exception cref="CudaException">The driver's compiler refused it; the message carries its log.</exception>
    public CudaModule(CudaContext context, ReadOnlySpan<byte> image)
    {
        _context = context;
        // PTX must end with a zero; a resource does not.
        byte[] terminated = new byte[image.Length + 1];
        image.CopyTo(terminated);
        byte[] errors = new byte[LogBytes];
        using (context.Enter())
        {
            fixed (byte* start = terminated, log = errors)
            {
                CUjitOption* options = stackalloc[] { CUjitOption.ErrorLogBuffer, CUjitOption.ErrorLogBufferSizeBytes };
                nint* values = stackalloc[] { (nint)log, (nint)LogBytes };
                CUResult result = DriverApi.cuModuleLoadDataEx(out CUmodule module, start, 2, options, values);
                if (result != CUResult.Success)
                    throw DriverApi.ToException(result, nameof(DriverApi.cuModuleLoadDataEx),
                        Encoding.UTF8.GetString(errors).TrimEnd('\0', '\n'));
                Handle = new ModuleHandle(context.Handle, module);
            }
        }
    }

    internal ModuleHandle Handle { get; }

    /// <summary>A kernel of the module; it may be used as long as the module is not disposed.</summary>
    /// <param name="name">The name that the kernel has in the PTX (.entry).</param>
    /// <exception cref="CudaException">There is no such kernel.</exception>
    public CudaKernel GetKernel(string name)
    {
        byte[] text = Encoding.UTF8.GetBytes(name + '\0');
        using (_context.Enter())
        {
            fixed (byte* start = text)
            {
                CUResult result = DriverApi.cuModuleGetFunction(out CUfunction function, Handle, start);
                if (result != CUResult.Success)
                    throw DriverApi.ToException(
                        result, nameof(DriverApi.cuModuleGetFunction), $"the kernel asked for is '{name}'");
                return new CudaKernel(this, name, function);
            }
        }
    }

    public void Dispose() => Handle.Dispose();
}
