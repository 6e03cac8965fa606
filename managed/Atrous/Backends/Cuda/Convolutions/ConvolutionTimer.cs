using System.Globalization;
using Atrous.ManagedCuda;
using Atrous.Tensors;

namespace Atrous.Backends.Cuda.Convolutions;

/// <summary>
/// Times algorithms of one convolution against each other on the device, in memory of its own. What is timed is a graph
/// of many runs, as a network runs them: what the host takes to put one into a stream is not in it, and what cannot be
/// captured is found out.
/// </summary>
internal sealed class ConvolutionTimer : IDisposable
{
    /// <summary>Runs in a graph, and graphs of which the fastest counts.</summary>
    public const int Repeats = 10, Rounds = 3;

    /// <summary>
    /// An algorithm is given up whose first graph takes so many times what the best does, and so many milliseconds
    /// more, which the driver may take for a graph that it sees for the first time.
    /// </summary>
    private const double Hopeless = 2, FirstLaunch = 1;

    /// <summary>
    /// About 1 in fp16 and 0.01 in the others, a byte at a time: numbers that neither overflow nor vanish.
    /// </summary>
    private const byte Fill = 0x3C;

    private readonly CudaDevice _device;
    private readonly DeviceBlock _block;
    private readonly CudaStream? _stream;
    private readonly CudaEvent? _start, _end;
    private readonly ConvolutionOperands _operands;
    private readonly WorkPlace _place;

    /// <summary>Takes memory for all operands of a convolution.</summary>
    /// <param name="device">The device, whose context is current.</param>
    /// <param name="problem">The convolution that all algorithms compute.</param>
    /// <param name="workspace">The most bytes that one of them needs besides.</param>
    /// <exception cref="MemoryException">There is not enough memory to try.</exception>
    public ConvolutionTimer(CudaDevice device, ConvolutionProblem problem, long workspace)
        : this(device,
        [
            problem.X.Pixels * problem.XPitch * problem.Storage.SizeInBytes(), problem.FilterBytes,
            problem.Y.Channels * sizeof(float),
            problem.Y.Pixels * problem.ResidualPitch * problem.Storage.SizeInBytes(),
            problem.Y.Pixels * problem.YPitch * problem.Storage.SizeInBytes(), workspace,
        ], out nint[] at)
    {
        nint bias = problem.HasBias ? at[2] : 0;
        _operands = new(at[0], at[1], bias, bias, problem.ResidualPitch > 0 ? at[3] : 0, at[4]);
        _place = new WorkPlace(_stream!, at[5], device.Dnn);
    }

    private ConvolutionTimer(CudaDevice device, long[] parts, out nint[] at)
    {
        _device = device;
        long[] offsets = new long[parts.Length];
        long bytes = 0;
        for (int i = 0; i < parts.Length; i++)
        {
            offsets[i] = bytes;
            bytes += (parts[i] + DeviceLayout.Alignment - 1) / DeviceLayout.Alignment * DeviceLayout.Alignment;
        }
        _block = device.Allocate(bytes, "timing a convolution");
        try
        {
            _stream = new CudaStream(device.Context);
            _start = new CudaEvent(device.Context);
            _end = new CudaEvent(device.Context);
            _block.Memory.MemsetAsync(Fill, _stream);
            nint first = (nint)_block.Memory.DevicePointer.Pointer;
            at = [.. offsets.Select(offset => first + (nint)offset)];
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    /// <summary>Milliseconds that a run of an algorithm takes on the device; null where it does not run.</summary>
    /// <param name="algorithm">One of the convolution's.</param>
    /// <param name="best">Milliseconds of the fastest so far: one that takes much longer is given up.</param>
    /// <param name="failure">Why it does not run, or was given up.</param>
    /// <exception cref="CudaException">The device is lost.</exception>
    public double? Time(ConvolutionAlgorithm algorithm, double best, out string? failure) =>
        Time(() => algorithm.Enqueue(_device, _operands, _place), best, out failure);

    /// <summary>
    /// Milliseconds that the copy of a packed tensor into a slice takes; null where it cannot be timed.
    /// </summary>
    /// <param name="device">The device, whose context is current.</param>
    /// <param name="type">The type of the elements.</param>
    /// <param name="shape">The shape of both tensors.</param>
    /// <param name="pitch">The number of elements from a pixel of the slice to its next.</param>
    /// <param name="failure">Why it cannot be timed.</param>
    public static double? TimeCopy(CudaDevice device, DType type, Shape shape, long pitch, out string? failure)
    {
        long size = shape.Pixels * type.SizeInBytes();
        using var timer = new ConvolutionTimer(device, [size * shape.Channels, size * pitch], out nint[] at);
        KernelLaunch copy = KernelLaunches.Copy(
            type, type, new(at[0], shape.Channels, shape), 0, 0, new(at[1], pitch, shape));
        return timer.Time(() => device.Launch(copy, timer._stream!), double.PositiveInfinity, out failure);
    }

    public void Dispose()
    {
        _end?.Dispose();
        _start?.Dispose();
        _stream?.Dispose();
        _block.Dispose();
    }

    private double? Time(Action enqueue, double best, out string? failure)
    {
        failure = null;
        CudaStream stream = _stream!;
        try
        {
            // The first run loads the code.
            enqueue();
            stream.Synchronize();
            using CudaGraphExec runs = Capture(stream, enqueue);
            _start!.Record(stream);
            runs.Launch(stream);
            _end!.Record(stream);
            _end.Synchronize();
            double first = CudaEvent.ElapsedTime(_start, _end).TotalMilliseconds;
            if (first > Hopeless * best * Repeats + FirstLaunch)
            {
                failure = string.Create(
                    CultureInfo.InvariantCulture,
                    $"about {first / Repeats:0.0000} ms, and another takes {best:0.0000}");
                return null;
            }
            double least = double.PositiveInfinity;
            for (int round = 0; round < Rounds; round++)
            {
                // The launch before keeps the device busy until the one that is timed, and the marks, lie behind it.
                runs.Launch(stream);
                _start.Record(stream);
                runs.Launch(stream);
                _end.Record(stream);
                _end.Synchronize();
                least = Math.Min(least, CudaEvent.ElapsedTime(_start, _end).TotalMilliseconds);
            }
            return least / Repeats;
        }
        catch (Exception e) when (CudaFailure.IsOne(e))
        {
            _device.ThrowIfLost();
            failure = e.Message.TrimEnd('.');
            return null;
        }
    }

    private static CudaGraphExec Capture(CudaStream stream, Action enqueue)
    {
        stream.BeginCapture();
        CudaGraph? graph = null;
        try
        {
            try
            {
                for (int i = 0; i < Repeats; i++)
                    enqueue();
            }
            finally
            {
                // A capture must be ended in any case; one that was broken throws here.
                graph = stream.EndCapture();
            }
            return graph.Instantiate();
        }
        finally
        {
            graph?.Dispose();
        }
    }
}
