using Atrous.Scoring;

namespace Atrous.Hosting.Requests;

/// <summary>What requests that choose windows, scales and CRF for themselves may cost.</summary>
internal static class ScoringLimits
{
    /// <summary>Windows of a picture: 24 million pixels in windows of 128.</summary>
    private const long MostWindows = 4096;

    /// <summary>Refuses what the model cannot do, and what would cost too much.</summary>
    /// <param name="segmenter">The model that the request is for.</param>
    /// <param name="scoring">What the request wants.</param>
    /// <param name="height">The number of rows of the picture.</param>
    /// <param name="width">The number of columns of the picture.</param>
    /// <param name="mostPixels">
    /// That the network may see at a time, where it would not see as many of the picture anyway.
    /// </param>
    /// <exception cref="RequestException">The sentence says why.</exception>
    public static void Check(Segmenter segmenter, ScoringRequest scoring, int height, int width, long mostPixels)
    {
        try
        {
            segmenter.Check(scoring);
        }
        catch (UnavailableException e)
        {
            throw new RequestException(e.Message);
        }
        if (scoring.Window is { } window && window.CountFor(height, width) is > MostWindows and var windows)
        {
            throw new RequestException(
                $"A picture of {width} x {height} would take {windows} tiles of {window.Size} pixels, and "
                + $"{MostWindows} are the most; choose larger tiles, or less overlap.");
        }
        (int rows, int columns) = segmenter.LargestInput(height, width, scoring);
        if ((long)rows * columns <= mostPixels)
            return;
        (int usualRows, int usualColumns) = segmenter.LargestInput(height, width, scoring: null);
        if ((long)rows * columns > (long)usualRows * usualColumns)
        {
            throw new RequestException(
                $"The network would see {columns} x {rows} pixels at a time, and {mostPixels} are the most; choose "
                + "smaller scales or tiles.");
        }
    }
}
