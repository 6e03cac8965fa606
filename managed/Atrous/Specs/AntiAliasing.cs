namespace Atrous.Specs;

/// <summary>What stands for the stride of a convolution, which then has none, behind its activation.</summary>
internal enum AntiAliasing
{
    /// <summary>Nothing: the convolution has its stride.</summary>
    None,

    /// <summary>The mean of each cell of so many pixels; of one, what is there.</summary>
    Mean,

    /// <summary>
    /// A binomial window of 3x3 (Zhang 2019, arXiv:1904.11486, section 3.2) over a picture that is mirrored at its
    /// borders.
    /// </summary>
    Blur,

    /// <summary>As <see cref="Blur"/>, with zeros around the picture.</summary>
    BlurWithZeros,
}
