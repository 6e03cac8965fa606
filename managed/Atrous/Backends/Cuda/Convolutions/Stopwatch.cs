using Atrous.ManagedCuda;
using Atrous.ManagedCuda.CUDNN;

namespace Atrous.Backends.Cuda.Convolutions;

/// <summary>Times algorithms of one convolution against each other, in memory of its own.</summary>
internal static class Stopwatch
{
    private const int Rounds = 3;

    /// <summary>
    /// About 1 in fp16 and 0.01 in the others, a byte at a time: numbers that neither overflow nor vanish.
    /// </summary>
    private const byte Fill = 0x3C;

    /// <summary>
    /// The fastest of some algorithms: each runs once to warm up, then the least time of some rounds counts.
    /// </summary>
    /// <exception cref="AtrousException">There is not enough memory to try.</exception>
    /// <exception cref="CudaException">The device failed.</exception>
    public static ConvolutionAlgorithm Fastest(CudaDevice device, IReadOnlyList<ConvolutionAlgorithm> algorithms)
    {
        ConvolutionProblem problem = algorithms[0].Problem;
        int size = Format.Lanes(problem.Storage) == 4 ? sizeof(float) : sizeof(ushort);
        long workspace = algorithms.Max(algorithm => algorithm.WorkspaceSize);
        var offsets = new List<long>();
        long bytes = 0;
        foreach (long part in (long[])
        [
            problem.X.Pixels * problem.XPitch * size, problem.FilterBytes, problem.Y.Channels * sizeof(float),
            problem.Y.Pixels * problem.ResidualPitch * size, problem.Y.Pixels * problem.YPitch * size, workspace,
        ])
        {
            offsets.Add(bytes);
            bytes += (part + DeviceLayout.Alignment - 1) / DeviceLayout.Alignment * DeviceLayout.Alignment;
        }
        using DeviceBlock block = device.Allocate(bytes, "timing a convolution");
        CudaDeviceVariable<byte> memory = block.Memory;
        using var stream = new CudaStream(device.Context);
        using CudaEvent start = new(device.Context), end = new(device.Context);
        memory.MemsetAsync(Fill, stream);
        nint first = (nint)memory.DevicePointer.Pointer;
        nint At(int part) => first + (nint)offsets[part];
        var operands = new ConvolutionOperands(
            At(0), At(1), problem.HasBias ? At(2) : 0, problem.HasBias ? At(2) : 0, problem.ResidualPitch > 0 ? At(3)
            : 0, At(4));
        var place = new WorkPlace(stream, At(5));

        ConvolutionAlgorithm? best = null;
        double least = double.PositiveInfinity;
        foreach (ConvolutionAlgorithm algorithm in algorithms)
        {
            double time = double.PositiveInfinity;
            try
            {
                algorithm.Enqueue(device, operands, place);
                for (int round = 0; round < Rounds; round++)
                {
                    start.Record(stream);
                    algorithm.Enqueue(device, operands, place);
                    end.Record(stream);
                    end.Synchronize();
                    time = Math.Min(time, CudaEvent.ElapsedTime(start, end).TotalMilliseconds);
                }
            }
            catch (CudaDNNException)
            {
                // A plan that could be made but not run is no candidate; what breaks the device shows in the stream
                // below.
                time = double.PositiveInfinity;
            }
            stream.Synchronize();
            if (time < least)
                (best, least) = (algorithm, time);
        }
        return best ?? algorithms[0];
    }
}
