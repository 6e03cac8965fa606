namespace Atrous.Specs;

/// <summary>
/// The original scores a picture in windows and averages the scores (mmsegmentation's test mode "slide"): they lie on
/// the picture as the network sees it, the last of a row or column shifted back into it.
/// </summary>
/// <param name="Height">Rows of a window; a picture with fewer has windows of its own height.</param>
/// <param name="Width">Columns of a window.</param>
/// <param name="StrideHeight">Rows from one window to the next.</param>
/// <param name="StrideWidth">Columns from one window to the next.</param>
internal sealed record SlideSpec(int Height, int Width, int StrideHeight, int StrideWidth);
