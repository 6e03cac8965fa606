using System.Runtime.InteropServices;

namespace Atrous.ManagedCuda.Native;

/// <summary>Modules and kernels.</summary>
internal static unsafe partial class DriverApi
{
    /// <summary>The first version that has <see cref="cuFuncGetParamInfo"/>.</summary>
    public const int ParameterLayoutVersion = 12040;

    [LibraryImport(Library)]
    public static partial CUResult cuModuleLoadDataEx(
        out CUmodule module, byte* image, uint optionCount, CUjitOption* options, nint* values);

    [LibraryImport(Library)]
    public static partial CUResult cuModuleUnload(CUmodule module);

    [LibraryImport(Library)]
    public static partial CUResult cuModuleGetFunction(out CUfunction function, ModuleHandle module, byte* name);

    [LibraryImport(Library)]
    public static partial CUResult cuFuncGetAttribute(
        out int value, CUFunctionAttribute attribute, CUfunction function);

    [LibraryImport(Library)]
    public static partial CUResult cuFuncSetAttribute(CUfunction function, CUFunctionAttribute attribute, int value);

    [LibraryImport(Library)]
    public static partial CUResult cuFuncGetParamInfo(
        CUfunction function, nuint index, out nuint offset, out nuint size);

    [LibraryImport(Library)]
    public static partial CUResult cuOccupancyMaxActiveBlocksPerMultiprocessor(
        out int blocks, CUfunction function, int blockSize, nuint dynamicSharedBytes);

    [LibraryImport(Library)]
    public static partial CUResult cuLaunchKernel(
        CUfunction function, uint gridX, uint gridY, uint gridZ, uint blockX, uint blockY, uint blockZ,
        uint sharedBytes,
        StreamHandle stream, void** parameters, void** extra);
}

/// <summary>Options of the driver's compiler, by its numbers.</summary>
internal enum CUjitOption
{
    InfoLogBuffer = 3,
    InfoLogBufferSizeBytes = 4,
    ErrorLogBuffer = 5,
    ErrorLogBufferSizeBytes = 6,
}
