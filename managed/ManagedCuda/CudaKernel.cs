using Atrous.ManagedCuda.Native;

namespace Atrous.ManagedCuda;

/// <summary>
/// A kernel of a module. Launching it allocates nothing. From CUDA 12.4 on the driver tells a kernel's parameters, and
/// a launch with other arguments is refused here; an older driver would read past them.
/// </summary>
public sealed unsafe class CudaKernel
{
    private readonly CudaModule _module;
    private readonly CUfunction _function;
    private readonly int[]? _parameterSizes;

    internal CudaKernel(CudaModule module, string name, CUfunction function)
    {
        _module = module;
        _function = function;
        KernelName = name;
        _parameterSizes = DriverApi.Version >= DriverApi.ParameterLayoutVersion ? ParametersOf(function) : null;
    }

    public string KernelName { get; }

    /// <summary>Bytes of every parameter, in order; nothing where the driver does not tell.</summary>
    public IReadOnlyList<int>? ParameterSizes => _parameterSizes;

    /// <summary>Registers a thread, after compilation.</summary>
    public int Registers => Attribute(CUFunctionAttribute.NumRegs);

    /// <summary>Threads that a block can have.</summary>
    public int MaxThreadsPerBlock => Attribute(CUFunctionAttribute.MaxThreadsPerBlock);

    /// <summary>Bytes of shared memory that the kernel declares itself.</summary>
    public int SharedMemory => Attribute(CUFunctionAttribute.SharedSizeBytes);

    /// <summary>Bytes of spilled registers and arrays a thread.</summary>
    public int LocalMemory => Attribute(CUFunctionAttribute.LocalSizeBytes);

    /// <summary>Bytes of shared memory that a launch may ask for; more than 48 KiB must be set here first.</summary>
    public int MaxDynamicSharedSizeBytes
    {
        get => Attribute(CUFunctionAttribute.MaxDynamicSharedSizeBytes);
        set
        {
            _ = _module.Handle.Value;
            DriverApi.ThrowIfFailed(
                DriverApi.cuFuncSetAttribute(_function, CUFunctionAttribute.MaxDynamicSharedSizeBytes, value));
        }
    }

    /// <summary>Blocks of a size that fit on one multiprocessor at a time.</summary>
    /// <param name="blockSize">The number of threads of a block.</param>
    /// <param name="dynamicSharedMemory">The number of bytes a block takes beside what the kernel declares.</param>
    public int GetOccupancyMaxActiveBlocksPerMultiprocessor(int blockSize, int dynamicSharedMemory = 0)
    {
        _ = _module.Handle.Value;
        DriverApi.ThrowIfFailed(
            DriverApi.cuOccupancyMaxActiveBlocksPerMultiprocessor(
                out int blocks, _function, blockSize, (nuint)dynamicSharedMemory));
        return blocks;
    }

    /// <summary>Puts one launch into a stream. The context must be current (<see cref="CudaContext.Enter"/>).</summary>
    /// <param name="stream">The stream that runs the kernel after what was put there before.</param>
    /// <param name="grid">The number of blocks along x, y and z.</param>
    /// <param name="block">The number of threads in a block along x, y and z.</param>
    /// <param name="arguments">Copied by the driver before the call returns.</param>
    /// <param name="dynamicSharedMemory">The number of bytes a block takes beside what the kernel declares.</param>
    /// <exception cref="ArgumentException">The arguments are not what the kernel takes.</exception>
    /// <exception cref="CudaException">The driver refused the launch, or earlier work has failed.</exception>
    public void RunAsync(
        CudaStream stream, dim3 grid, dim3 block, ref KernelArguments arguments, int dynamicSharedMemory = 0)
    {
        Check(ref arguments);
        void** pointers = stackalloc void*[KernelArguments.MaxCount];
        arguments.PointersTo(pointers);
        RunAsync(stream, grid, block, pointers, dynamicSharedMemory);
    }

    /// <summary>The same with arguments that lie ready; nothing is checked.</summary>
    /// <param name="stream">The stream that runs the kernel after what was put there before.</param>
    /// <param name="grid">The number of blocks along x, y and z.</param>
    /// <param name="block">The number of threads in a block along x, y and z.</param>
    /// <param name="parameters">
    /// A pointer to each of the kernel's arguments; they are copied before the call returns.
    /// </param>
    /// <param name="dynamicSharedMemory">The number of bytes a block takes beside what the kernel declares.</param>
    public void RunAsync(CudaStream stream, dim3 grid, dim3 block, void** parameters, int dynamicSharedMemory = 0)
    {
        // Neither another thread's Dispose nor the collector may unload the code during the call.
        bool added = false;
        try
        {
            _module.Handle.DangerousAddRef(ref added);
            DriverApi.ThrowIfFailed(DriverApi.cuLaunchKernel(
                _function, grid.X, grid.Y, grid.Z, block.X, block.Y, block.Z, (uint)dynamicSharedMemory, stream.Handle,
                parameters, null));
        }
        finally
        {
            if (added)
                _module.Handle.DangerousRelease();
        }
    }

    private void Check(ref KernelArguments arguments)
    {
        if (_parameterSizes is null)
            return;
        bool right = arguments.Count == _parameterSizes.Length;
        for (int i = 0; right && i < _parameterSizes.Length; i++)
            right = arguments.SizeOf(i) == _parameterSizes[i];
        if (right)
            return;
        int[] given = new int[arguments.Count];
        for (int i = 0; i < given.Length; i++)
            given[i] = arguments.SizeOf(i);
        throw new ArgumentException(
            $"The kernel {KernelName} takes {_parameterSizes.Length} arguments of " +
            $"{string.Join(", ", _parameterSizes)} bytes, not {given.Length} of {string.Join(", ", given)}.",
            nameof(arguments));
    }

    private int Attribute(CUFunctionAttribute attribute)
    {
        _ = _module.Handle.Value;
        DriverApi.ThrowIfFailed(DriverApi.cuFuncGetAttribute(out int value, attribute, _function));
        return value;
    }

    private static int[] ParametersOf(CUfunction function)
    {
        var sizes = new List<int>();
        while (true)
        {
            CUResult result = DriverApi.cuFuncGetParamInfo(function, (nuint)sizes.Count, out _, out nuint size);
            // Past the last parameter.
            if (result == CUResult.ErrorInvalidValue)
                return [.. sizes];
            DriverApi.ThrowIfFailed(result, nameof(DriverApi.cuFuncGetParamInfo));
            sizes.Add((int)size);
        }
    }
}
