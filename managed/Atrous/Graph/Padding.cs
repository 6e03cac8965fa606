namespace Atrous.Graph;

/// <summary>Rows and columns of zeros around a picture.</summary>
/// <param name="Top">The number of rows of zeros above the picture.</param>
/// <param name="Left">The number of columns of zeros before the picture.</param>
/// <param name="Bottom">The number of rows of zeros below the picture.</param>
/// <param name="Right">The number of columns of zeros behind the picture.</param>
public readonly record struct Padding(int Top, int Left, int Bottom, int Right)
{
    public static readonly Padding None;

    /// <summary>The same on all four sides, as PyTorch pads.</summary>
    /// <param name="all">The number of rows or columns of zeros on each side.</param>
    public static Padding Symmetric(int all) => new(all, all, all, all);

    /// <summary>
    /// TensorFlow's SAME: the output is ceil(input / stride), and the odd row or column lies at the bottom or right.
    /// </summary>
    /// <param name="height">The number of rows of the picture.</param>
    /// <param name="width">The number of columns of the picture.</param>
    /// <param name="kernel">The number of rows, and of columns, of the window.</param>
    /// <param name="stride">The number of input pixels per output pixel, on both axes.</param>
    /// <param name="dilation">The number of input pixels from one tap of the window to the next.</param>
    public static Padding Same(int height, int width, int kernel, int stride, int dilation)
    {
        int vertical = Total(height), horizontal = Total(width);
        return new(vertical / 2, horizontal / 2, vertical - vertical / 2, horizontal - horizontal / 2);

        int Total(int size)
        {
            int output = (size + stride - 1) / stride;
            return Math.Max((output - 1) * stride + (kernel - 1) * dilation + 1 - size, 0);
        }
    }
}
