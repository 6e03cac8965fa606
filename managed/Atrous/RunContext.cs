using System.Diagnostics;
using Atrous.Backends;

namespace Atrous;

/// <summary>
/// What goes along with pictures through all stages of one call: the wish to stop, the clock, the times.
/// </summary>
/// <param name="times">Is told what the device knows of the run's parts; null not to ask.</param>
/// <param name="cancellationToken">Is looked at between two layers, and between two windows.</param>
internal sealed class RunContext(RunTimes? times, CancellationToken cancellationToken)
{
    private readonly long _start = Stopwatch.GetTimestamp();
    private readonly Stopwatch _preprocessing = new();

    public CancellationToken CancellationToken => cancellationToken;

    public RunTimes? Times => times;

    /// <summary>What was done otherwise than was asked for: a sentence by the picture's place in the batch.</summary>
    public Dictionary<int, string> Notes { get; } = [];

    /// <summary>Does a piece of pre-processing, whose time counts as such.</summary>
    public T Preprocess<T>(Func<T> work)
    {
        _preprocessing.Start();
        try
        {
            return work();
        }
        finally
        {
            _preprocessing.Stop();
        }
    }

    /// <summary>The times up to now as a share of each of so many pictures.</summary>
    public SegmentationTimings TimingsOf(int pictures)
    {
        TimeSpan preprocess = _preprocessing.Elapsed;
        return new SegmentationTimings(
            preprocess / pictures, (Stopwatch.GetElapsedTime(_start) - preprocess) / pictures);
    }
}
