using Atrous.Cuda.Tests.Support;
using Atrous.ManagedCuda;
using Atrous.ManagedCuda.CUDNN;

namespace Atrous.Cuda.Tests.Dnn;

/// <summary>The memory of one convolution: all tensors, the workspace, and the pack that names them.</summary>
internal sealed class Tensors : IDisposable
{
    private readonly ConvolutionCase _problem;
    private readonly List<CudaDeviceVariable<byte>> _memory = [];
    private readonly CudaDeviceVariable<byte> _result;

    public Tensors(PrimaryContext context, ConvolutionCase problem, long workspace)
    {
        _problem = problem;
        CudaDeviceVariable<byte> Send(float[] values)
        {
            byte[] bytes = Numbers.ToBytes(values, problem.Storage);
            var memory = new CudaDeviceVariable<byte>(context, bytes.Length);
            memory.CopyToDevice(bytes);
            _memory.Add(memory);
            return memory;
        }

        _result = Send(problem.SkipValues);
        var room = new CudaDeviceVariable<byte>(context, Math.Max(1, workspace));
        _memory.Add(room);
        Pack = new VariantPack(
            [
                (ConvolutionCase.X, Send(problem.Input).DevicePointer),
                    (ConvolutionCase.Filter, Send(problem.Weights).DevicePointer),
                (ConvolutionCase.BiasVector, Send(problem.BiasValues).DevicePointer),
                    (ConvolutionCase.Skip, Send(problem.SkipValues).DevicePointer),
                (ConvolutionCase.Y, _result.DevicePointer),
            ],
            room.DevicePointer);
    }

    public VariantPack Pack { get; }

    public float[] Result()
    {
        byte[] bytes = new byte[_result.Size];
        _result.CopyToHost(bytes);
        return Numbers.FromBytes(bytes, _problem.Storage);
    }

    public void ClearResult(CudaStream stream) => _result.MemsetAsync((byte)0, stream);

    public void Dispose()
    {
        Pack.Dispose();
        _memory.ForEach(memory => memory.Dispose());
    }
}
