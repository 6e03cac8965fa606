namespace Atrous.Graph;

/// <summary>Rows and columns of zeros around a picture.</summary>
public readonly record struct Padding(int Top, int Left, int Bottom, int Right)
{
    public static readonly Padding None;

    /// <summary>The same on all four sides, as PyTorch pads.</summary>
    public static Padding Symmetric(int all) => new(all, all, all, all);

    /// <summary>
    /// TensorFlow's SAME: the output is ceil(input / stride), and the odd row or column lies at the bottom or right.
    /// </summary>
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
