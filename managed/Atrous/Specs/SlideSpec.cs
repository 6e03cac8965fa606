namespace Atrous.Specs;

/// <summary>
/// The original scores a picture in windows and averages the scores (mmsegmentation's test mode "slide"): they lie on
/// the picture as the network sees it, the last of a row or column shifted back into it.
/// </summary>
/// <param name="Height">The number of rows of a window; a picture with fewer has windows of its own height.</param>
/// <param name="Width">The number of columns of a window.</param>
/// <param name="StrideHeight">The number of rows from one window to the next.</param>
/// <param name="StrideWidth">The number of columns from one window to the next.</param>
internal sealed record SlideSpec(int Height, int Width, int StrideHeight, int StrideWidth);
