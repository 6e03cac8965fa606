namespace Atrous.Cli.Videos;

/// <summary>Which frames of a video are segmented; the others appear in no output.</summary>
/// <param name="Every">One of so many frames, the first of them.</param>
/// <param name="MostPerSecond">
/// Each second is divided into so many parts, of each of which the first frame is taken; null for all frames.
/// </param>
internal sealed record FrameChoice(int Every, double? MostPerSecond)
{
    /// <summary>Times that are whole parts of a second are rounded in their last bits.</summary>
    private const double Rounding = 1e-6;

    /// <summary>
    /// Whether a frame of one video is taken, by its place among all frames, from 0, and the second at which it is
    /// shown. It is asked about frames in their order.
    /// </summary>
    public Func<int, double, bool> Begin()
    {
        double last = double.NegativeInfinity;
        return (number, seconds) =>
        {
            if (number % Every != 0)
                return false;
            if (MostPerSecond is not { } most)
                return true;
            double part = Math.Floor(seconds * most + Rounding);
            if (part <= last)
                return false;
            last = part;
            return true;
        };
    }
}
