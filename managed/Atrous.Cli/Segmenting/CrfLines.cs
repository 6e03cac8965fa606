using System.Diagnostics;
using System.Globalization;
using Atrous.Postprocessing;

namespace Atrous.Cli.Segmenting;

/// <summary>
/// Says what the CRF of a large picture will take before it begins, and then from time to time how far it is: it takes
/// minutes where others take a moment.
/// </summary>
/// <param name="say">Is given each sentence, without a line break.</param>
internal sealed class CrfLines(Action<string> say) : IProgress<CrfProgress>
{
    /// <summary>A picture of less takes a moment.</summary>
    private const long Large = 500_000_000;

    private static readonly TimeSpan Pause = TimeSpan.FromSeconds(5);

    private long _said;

    public void Report(CrfProgress value)
    {
        if (value.Bytes < Large)
            return;
        if (value.Iteration == 0)
        {
            Say(string.Create(
                CultureInfo.InvariantCulture,
                $"The CRF takes {value.Iterations} iterations at {value.Width} x {value.Height} pixels, and about "
                + $"{value.Bytes / 1e9:0.0} GB of memory."));
        }
        else if (value.Iteration < value.Iterations && Stopwatch.GetElapsedTime(_said) >= Pause)
        {
            Say(string.Create(
                CultureInfo.InvariantCulture, $"The CRF has done {value.Iteration} of {value.Iterations} iterations."));
        }
    }

    private void Say(string sentence)
    {
        _said = Stopwatch.GetTimestamp();
        say(sentence);
    }
}
