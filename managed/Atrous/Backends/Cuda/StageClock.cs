using Atrous.ManagedCuda;

namespace Atrous.Backends.Cuda;

/// <summary>Marks between the stages of one run that goes step by step.</summary>
internal sealed class StageClock : IDisposable
{
    private readonly List<CudaEvent> _marks = [];
    private readonly CudaDevice _device;

    public StageClock(CudaDevice device) => _device = device;

    /// <summary>A stage begins or ends here.</summary>
    public void Mark(CudaStream stream)
    {
        var mark = new CudaEvent(_device.Context);
        _marks.Add(mark);
        mark.Record(stream);
    }

    /// <summary>What was read.</summary>
    public DeviceStages Stages { get; private set; }

    /// <summary>Reads the stages of a run that is done; the context is current.</summary>
    public void Read() => Stages = new DeviceStages(Between(0), Between(1), Between(2), Between(3));

    public void Dispose() => _marks.ForEach(mark => mark.Dispose());

    private TimeSpan Between(int stage) => CudaEvent.ElapsedTime(_marks[stage], _marks[stage + 1]);
}
