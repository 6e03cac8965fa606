namespace Atrous.Cli.Videos;

/// <summary>What the options say of videos.</summary>
/// <param name="Format">What ffmpeg's -f calls the input; null where ffmpeg finds it out.</param>
/// <param name="Raw">What standard input holds where it is bare frames; null where it is not.</param>
/// <param name="RawTime">How long a bare frame is shown.</param>
/// <param name="Frames">Which frames are segmented.</param>
/// <param name="HasOverlay">A video with the classes' colours is written.</param>
/// <param name="HasMasks">Each frame's mask is written.</param>
internal sealed record VideoChoice(
    string? Format, RawFormat? Raw, TimeBase RawTime, FrameChoice Frames, bool HasOverlay, bool HasMasks);
