using System.Collections;

namespace Atrous.Backends.Cuda;

/// <summary>Where a step runs when a run is captured.</summary>
/// <param name="Lane">Its stream: steps of one lane run in their order; 0 is the run's own stream.</param>
/// <param name="After">Steps of other lanes that must end before it begins; -1 for what comes before all steps.</param>
internal sealed record LaneStep(int Lane, IReadOnlyList<int> After);

/// <summary>
/// Which of a run's steps may overlap. A step waits for those that made what it reads, and for those that read or made
/// what lies where it writes; whatever else comes before it in the list may run beside it, on another lane. A picture
/// alone rarely fills a GPU, and the branches of a pyramid fill it together.
/// </summary>
internal sealed class StepLanes
{
    /// <summary>The five branches of atrous spatial pyramid pooling, and one for what else there is.</summary>
    private const int Most = 6;

    private readonly BitArray[] _before;

    /// <summary>Distributes steps.</summary>
    /// <param name="steps">The steps in an order in which they can run one after the other.</param>
    /// <param name="layout">Where their values lie.</param>
    /// <param name="isSmall">Whether a step may leave lane 0, because it does not fill the device.</param>
    public StepLanes(IReadOnlyList<DeviceStep> steps, DeviceLayout layout, Func<DeviceStep, bool> isSmall)
    {
        Access[] accesses = [.. steps.Select(step => Access.Of(step, layout))];
        _before = [.. steps.Select(_ => new BitArray(steps.Count))];
        var lanes = new LaneStep[steps.Count];
        var tails = new List<int> { -1 };
        for (int i = 0; i < steps.Count; i++)
        {
            int[] needs = [.. Enumerable.Range(0, i).Where(j => accesses[i].MustFollow(accesses[j]))];
            foreach (int need in needs)
                Follow(i, need);
            int lane = isSmall(steps[i]) ? LaneFor(needs, tails, i) : 0;
            if (tails[lane] >= 0)
                Follow(i, tails[lane]);
            // What the lane has waited for already, or waits for through a later step, needs no word.
            var after = needs.Where(need => lanes[need].Lane != lane
                && (tails[lane] < 0 || !IsBefore(need, tails[lane]))
                && !needs.Any(other => other > need && IsBefore(need, other))).ToList();
            if (lane > 0 && tails[lane] < 0 && after.Count == 0)
                after.Add(-1);
            lanes[i] = new LaneStep(lane, after);
            tails[lane] = i;
        }
        Steps = lanes;
        Count = tails.Count;
        Ends = [.. tails.Skip(1).Where(tail => !tails.Any(other => other >= 0 && IsBefore(tail, other)))];
    }

    /// <summary>A row for each step.</summary>
    public IReadOnlyList<LaneStep> Steps { get; }

    /// <summary>How many lanes there are.</summary>
    public int Count { get; }

    /// <summary>Last steps of lanes that lane 0 has not waited for.</summary>
    public IReadOnlyList<int> Ends { get; }

    /// <summary>Whether a step always ends before another begins.</summary>
    public bool IsBefore(int step, int other) => _before[other][step];

    private void Follow(int step, int other)
    {
        _before[step].Or(_before[other]);
        _before[step][other] = true;
    }

    /// <summary>
    /// The first lane that ends in what the step needs; else one that has nothing left to do then; else a new one.
    /// </summary>
    private int LaneFor(int[] needs, List<int> tails, int step)
    {
        int own = tails.FindIndex(needs.Contains);
        if (own >= 0)
            return own;
        int idle = tails.FindIndex(tail => tail < 0 || IsBefore(tail, step));
        if (idle >= 0)
            return idle;
        if (tails.Count == Most)
            return 0;
        tails.Add(-1);
        return tails.Count - 1;
    }

    /// <summary>What a step reads and writes; null where that is unknown, and nothing may overlap with it.</summary>
    private sealed record Access(IReadOnlyList<DeviceRange>? Reads, IReadOnlyList<DeviceRange>? Writes)
    {
        public static Access Of(DeviceStep step, DeviceLayout layout) => step.Node is not { } node
            ? new Access(null, null)
            : new Access(
                [.. node.Inputs.Concat(step.AlsoReads).Select(layout.RangeOf)],
                [.. node.Outputs.Select(layout.RangeOf)]);

        public bool MustFollow(Access earlier) =>
            Reads is null || Writes is null || earlier.Reads is null || earlier.Writes is null
            || Meet(Reads, earlier.Writes) || Meet(Writes, earlier.Writes) || Meet(Writes, earlier.Reads);

        private static bool Meet(IReadOnlyList<DeviceRange> some, IReadOnlyList<DeviceRange> others) =>
            some.Any(range => others.Any(range.Meets));
    }
}
