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

    private double _last = double.NegativeInfinity;

    /// <summary>Whether a frame is taken. Frames are asked for in their order, of one video each.</summary>
    /// <param name="number">Its place among all frames, from 0.</param>
    /// <param name="seconds">When it is shown.</param>
    public bool Takes(int number, double seconds)
    {
        if (number % Every != 0)
            return false;
        if (MostPerSecond is not { } most)
            return true;
        double part = Math.Floor(seconds * most + Rounding);
        if (part <= _last)
            return false;
        _last = part;
        return true;
    }

    /// <summary>The same choice for another video.</summary>
    public FrameChoice Anew() => this with { _last = double.NegativeInfinity };
}
