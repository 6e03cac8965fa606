namespace Atrous.Imaging.Formats;

/// <summary>What a header may claim.</summary>
internal static class PictureLimits
{
    /// <summary>Called before anything of the picture's size is allocated.</summary>
    /// <exception cref="ImageException">There are more pixels than allowed.</exception>
    public static void Check(int height, int width, long maxPixels)
    {
        if ((long)height * width > maxPixels)
        {
            throw new ImageException(
                $"the picture has {width} x {height} pixels, more than the limit of {maxPixels}; scale it down or "
                + "raise the limit.")
            {
                Remedy = Remedy.MorePixels,
            };
        }
    }
}
