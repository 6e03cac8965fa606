using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Atrous.Backends.Cuda;

/// <summary>An argument of a kernel, as wide as the widest.</summary>
[StructLayout(LayoutKind.Explicit)]
internal struct KernelArgument
{
    [FieldOffset(0)]
    private DeviceTensor _tensor;

    [FieldOffset(0)]
    private nint _pointer;

    [FieldOffset(0)]
    private int _number;

    [FieldOffset(0)]
    private float _factor;

    [FieldOffset(32)]
    private KernelParameterType _type;

    public readonly KernelParameterType Type => _type;

    public static implicit operator KernelArgument(DeviceTensor value) => new()
    {
        _tensor = value,
        _type = KernelParameterType.View,
    };

    public static implicit operator KernelArgument(nint value) => new()
    {
        _pointer = value,
        _type = KernelParameterType.Pointer,
    };

    public static implicit operator KernelArgument(int value) => new()
    {
        _number = value,
        _type = KernelParameterType.Integer,
    };

    public static implicit operator KernelArgument(float value) => new()
    {
        _factor = value,
        _type = KernelParameterType.Real,
    };
}

/// <summary>
/// A kernel with its arguments and its grid, made once and launched often: what cuLaunchKernel wants lies ready at
/// fixed addresses, so that a launch allocates nothing. There is no dynamic shared memory. Keep the launch reachable
/// while the driver reads <see cref="Parameters"/>.
/// </summary>
internal sealed unsafe class KernelLaunch
{
    /// <summary>The most blocks along y that CUDA takes; kernels stride on over the rest of the rows.</summary>
    public const long MostRows = 65535;

    private readonly KernelArgument[] _arguments;
    private readonly nint[] _pointers;

    /// <summary>A launch over rows of items: the grid that all kernels want.</summary>
    /// <param name="kernel">The kernel to launch, with its parameters and block size.</param>
    /// <param name="rows">The number of rows of the batch.</param>
    /// <param name="items">Work items in a row; a thread takes one at a time.</param>
    /// <param name="arguments">One for each parameter, of its type.</param>
    /// <exception cref="ArgumentException">
    /// The arguments are not those of the kernel, or there are too many items.
    /// </exception>
    public KernelLaunch(KernelSignature kernel, long rows, long items, params ReadOnlySpan<KernelArgument> arguments)
    {
        if (rows is < 1 or > int.MaxValue || items is < 1 or > int.MaxValue)
            throw new ArgumentException($"{kernel.Name} cannot walk {rows} rows of {items} items.", nameof(items));
        if (arguments.Length != kernel.Parameters.Count)
            throw new ArgumentException(
                $"{kernel.Name} takes {kernel.Parameters.Count} arguments, not {arguments.Length}.", nameof(arguments));
        Kernel = kernel;
        GridX = (uint)((items + kernel.BlockSize - 1) / kernel.BlockSize);
        GridY = (uint)Math.Min(rows, MostRows);
        _arguments = GC.AllocateUninitializedArray<KernelArgument>(arguments.Length, pinned: true);
        _pointers = GC.AllocateUninitializedArray<nint>(arguments.Length, pinned: true);
        for (int i = 0; i < arguments.Length; i++)
        {
            KernelParameter parameter = kernel.Parameters[i];
            if (arguments[i].Type != parameter.Type)
                throw new ArgumentException(
                    $"{parameter.Name} of {kernel.Name} is {parameter.Type}, not {arguments[i].Type}.",
                    nameof(arguments));
            _arguments[i] = arguments[i];
            _pointers[i] = (nint)Unsafe.AsPointer(ref _arguments[i]);
        }
    }

    public KernelSignature Kernel { get; }

    /// <summary>Blocks along x. There is one layer along z.</summary>
    public uint GridX { get; }

    /// <summary>Blocks along y.</summary>
    public uint GridY { get; }

    /// <summary>
    /// The addresses of the arguments, as cuLaunchKernel's kernelParams. Valid as long as this object is reachable.
    /// </summary>
    public void** Parameters => (void**)Unsafe.AsPointer(ref MemoryMarshal.GetArrayDataReference(_pointers));

    public override string ToString() => $"{Kernel.Name}<<<({GridX}, {GridY}), {Kernel.BlockSize}>>>";
}
