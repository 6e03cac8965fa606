using Atrous.ManagedCuda;

namespace Atrous.Backends.Cuda;

/// <summary>
/// Puts the steps of a run into a capture on several streams, which fork from the run's own and are joined to it again.
/// The graph keeps the order; the streams and events are not needed after the capture.
/// </summary>
internal sealed class LaneStreams : IDisposable
{
    private readonly CudaDevice _device;
    private readonly DevicePlan _plan;
    private readonly RunPlace[] _places;
    private readonly Dictionary<int, CudaEvent> _ends = [];

    /// <param name="device">The device of the run.</param>
    /// <param name="plan">The plan of the run, with its lanes.</param>
    /// <param name="place">Where the run works; its stream is being captured.</param>
    public LaneStreams(CudaDevice device, DevicePlan plan, RunPlace place)
    {
        (_device, _plan) = (device, plan);
        _places = new RunPlace[plan.Lanes.Count];
        _places[0] = place;
        try
        {
            for (int lane = 1; lane < _places.Length; lane++)
            {
                _places[lane] = new RunPlace(
                    new CudaStream(device.Context), place.Memory, place.Memory + (nint)plan.WorkspaceOffsets[lane],
                    lane);
            }
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    /// <summary>Puts all steps into the capture; what is put into the run's stream afterwards waits for all.</summary>
    public void Enqueue()
    {
        StepLanes lanes = _plan.Lanes;
        HashSet<int> awaited = [.. lanes.Steps.SelectMany(step => step.After), .. lanes.Ends];
        if (awaited.Contains(-1))
            Mark(-1, _places[0].Stream);
        for (int i = 0; i < _plan.Steps.Count; i++)
        {
            RunPlace place = _places[lanes.Steps[i].Lane];
            foreach (int other in lanes.Steps[i].After)
                place.Stream.WaitEvent(_ends[other]);
            _plan.Steps[i].Enqueue(_device, place);
            if (awaited.Contains(i))
                Mark(i, place.Stream);
        }
        foreach (int end in lanes.Ends)
            _places[0].Stream.WaitEvent(_ends[end]);
    }

    public void Dispose()
    {
        foreach (CudaEvent end in _ends.Values)
            end.Dispose();
        for (int lane = 1; lane < _places.Length; lane++)
            _places[lane].Stream?.Dispose();
    }

    private void Mark(int step, CudaStream stream)
    {
        var end = new CudaEvent(_device.Context, CUEventFlags.DisableTiming);
        _ends.Add(step, end);
        end.Record(stream);
    }
}
