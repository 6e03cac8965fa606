using System.Globalization;

namespace Atrous.ManagedCuda.Libraries;

/// <summary>A library of NVIDIA's and what it must offer to be taken.</summary>
/// <param name="Name">The name by which imports ask for it.</param>
/// <param name="Linux">The names of the file, the newest first.</param>
/// <param name="Windows">The names of the file, the newest first.</param>
/// <param name="Needs">Entry points that only recent enough versions have.</param>
/// <param name="Oldest">The oldest version that has them, for the message.</param>
/// <param name="Remedy">What brings it onto a machine.</param>
public sealed record CudaLibraryName(
    string Name, string[] Linux, string[] Windows, string[] Needs, string Oldest, string Remedy)
{
    /// <summary>The driver. It comes with the graphics driver, never with a toolkit or a wheel.</summary>
    public static CudaLibraryName Driver { get; } = new(
        "cuda", ["libcuda.so.1", "libcuda.so"], ["nvcuda.dll"], ["cuGraphExecUpdate_v2", "cuMemAllocAsync"],
        "CUDA 12.0",
        "install NVIDIA's driver 525 or newer, or start the container with its GPU (docker run --gpus all)");

    /// <summary>Matrix products with epilogues.</summary>
    public static CudaLibraryName BlasLt { get; } = new(
        "cublasLt", ["libcublasLt.so.13", "libcublasLt.so.12", "libcublasLt.so"],
        ["cublasLt64_13.dll", "cublasLt64_12.dll"],
        ["cublasLtMatmulAlgoGetHeuristic", "cublasLtGetStatusName"], "cuBLAS 12.0",
        "install cuBLAS 12 or 13 (package libcublas, or pip install nvidia-cublas), or name its folder in " +
        "ATROUS_CUDA_PATH")
    {
        IsOfToolkit = true,
    };

    /// <summary>Convolutions.</summary>
    public static CudaLibraryName Dnn { get; } = new(
        "cudnn", ["libcudnn.so.9", "libcudnn.so"], ["cudnn64_9.dll"],
        ["cudnnBackendExecute", "cudnnGetLastErrorString"], "cuDNN 9.0",
        "install cuDNN 9 (package libcudnn9-cuda-13 or -12, or pip install nvidia-cudnn-cu13), or name its folder in " +
        "ATROUS_CUDA_PATH")
    {
        Parts = OperatingSystem.IsWindows() ? "cudnn_*64_9.dll" : "libcudnn_*.so.9",
    };

    /// <summary>The run-time compiler that cuDNN's fused engines call.</summary>
    public static CudaLibraryName RuntimeCompiler { get; } = new(
        "nvrtc", ["libnvrtc.so.13", "libnvrtc.so.12", "libnvrtc.so"], ["nvrtc64_130_0.dll", "nvrtc64_120_0.dll"],
        ["nvrtcCompileProgram"], "CUDA 12.0",
        "install NVRTC 12 or 13 (package cuda-nvrtc, or pip install nvidia-cuda-nvrtc), or name its folder in " +
        "ATROUS_CUDA_PATH")
    {
        IsOfToolkit = true,
        Parts = OperatingSystem.IsWindows() ? "nvrtc-builtins64_*.dll" : "libnvrtc-builtins.so.*",
        LoadsParts = true,
    };

    /// <summary>Its file names carry the major version of CUDA, which the driver must support.</summary>
    internal bool IsOfToolkit { get; private init; }

    /// <summary>Files of its own folder that it opens by their bare names while it runs; null for none.</summary>
    internal string? Parts { get; private init; }

    /// <summary>
    /// Whether the parts are loaded in any case: NVRTC's are small, and found by chance only. cuDNN's are large, and
    /// are left to cuDNN where it finds them.
    /// </summary>
    internal bool LoadsParts { get; private init; }

    internal string[] Files => OperatingSystem.IsWindows() ? Windows : Linux;

    /// <summary>
    /// The CUDA that a file is of: 13 for libcublasLt.so.13 and nvrtc64_130_0.dll; null where its name does not tell.
    /// </summary>
    internal int? CudaOf(string file)
    {
        if (!IsOfToolkit)
            return null;
        string name = Path.GetFileName(file);
        int start = name.IndexOf(name.EndsWith(".dll", StringComparison.Ordinal) ? '_' : '.');
        string digits = new(
            [.. name.Skip(start + 1).SkipWhile(c => !char.IsAsciiDigit(c)).TakeWhile(char.IsAsciiDigit)]);
        if (!int.TryParse(digits, NumberStyles.None, CultureInfo.InvariantCulture, out int number))
            return null;
        return number >= 100 ? number / 10 : number;
    }
}
