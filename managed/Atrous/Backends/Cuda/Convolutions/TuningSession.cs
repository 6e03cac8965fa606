using System.Diagnostics;
using System.Globalization;
using Atrous.ManagedCuda.CUDNN;

namespace Atrous.Backends.Cuda.Convolutions;

/// <summary>
/// What the choices of one backend have in common: the time that they may take, and what is said once.
/// </summary>
internal sealed class TuningSession(CudaOptions options)
{
    private readonly Stopwatch _spent = new();
    private int _warned;

    /// <summary>Whether the time that was given is used up, so that the first proposals are taken.</summary>
    public bool IsSpent => options.TuningTime is { } most && _spent.Elapsed >= most;

    /// <summary>Choosing begins; <see cref="End"/> stops the clock.</summary>
    public void Begin() => _spent.Start();

    public void End() => _spent.Stop();

    /// <summary>Says once what makes every network slow without making it wrong.</summary>
    public void WarnOfCompiler(Exception e)
    {
        if (Interlocked.Exchange(ref _warned, 1) != 0)
            return;
        string cuda = CudaDNNContext.GetCudartVersion().Major.ToString(CultureInfo.InvariantCulture);
        options.Warn?.Invoke(
            $"cuDNN cannot compile its fused engines ({e.Message.TrimEnd('.')}), so that networks run slower; " +
            $"install all of cuDNN and NVRTC of CUDA {cuda} with its builtins (pip install nvidia-cuda-nvrtc), or " +
            "name its folder in ATROUS_CUDA_PATH.");
    }
}
