using Atrous.Backends;
using Atrous.Preprocessing;
using Atrous.Specs;

namespace Atrous;

/// <summary>Says to a device what <see cref="Preprocessor"/> does on the CPU.</summary>
internal static class PictureSources
{
    /// <summary>The way from a picture to the network's input.</summary>
    /// <param name="preprocessor">What the network wants.</param>
    /// <param name="plan">The size of the network's input, and where the picture lies in it.</param>
    /// <param name="size">The picture's rows, columns, and bytes of a pixel.</param>
    /// <param name="order">The picture's channel for each of the network's.</param>
    public static PictureSource Of(
        Preprocessor preprocessor, PreprocessingPlan plan, (int Height, int Width, int Channels) size, int[] order)
    {
        var spec = preprocessor.Spec;
        PictureChannel[] maps =
            [.. order.Select(
                (source, c) => new PictureChannel(spec.Mean[c], spec.Std[c], preprocessor.Fill[c], source))];
        PictureWindow window = plan.Window;
        return new PictureSource(
            size.Height, size.Width, size.Channels,
            FilterOf(preprocessor.FilterFor(size.Height, size.Width, window)), window.Top, window.Left, window.Height,
            window.Width, spec.Scale, maps);
    }

    private static PictureFilter FilterOf(ResizeFilter filter) => filter switch
    {
        ResizeFilter.Bilinear => PictureFilter.Bilinear,
        ResizeFilter.Bicubic => PictureFilter.Bicubic,
        ResizeFilter.BilinearPlain => PictureFilter.BilinearPlain,
        _ => throw new ArgumentOutOfRangeException(nameof(filter), filter, "There is no such filter."),
    };
}
