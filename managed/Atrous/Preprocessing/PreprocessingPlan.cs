using Atrous.Imaging;
using Atrous.Specs;

namespace Atrous.Preprocessing;

/// <summary>
/// The size that a network sees of a picture, and where in it the picture lies. Pictures of equal plan share a batch.
/// </summary>
/// <param name="Height">The number of rows of the network's input.</param>
/// <param name="Width">The number of columns of the network's input.</param>
/// <param name="Window">
/// The picture; all of the input unless it is letterboxed, filled up, or smaller than the network can take.
/// </param>
public readonly record struct PreprocessingPlan(int Height, int Width, PictureWindow Window)
{
    /// <summary>Plans a picture of this size. Pure: decides nothing from pixels.</summary>
    /// <param name="spec">What the network wants.</param>
    /// <param name="height">The number of rows of the picture.</param>
    /// <param name="width">The number of columns of the picture.</param>
    /// <param name="minimumSide">
    /// The smallest input that the network can take; less is filled up at the bottom and right.
    /// </param>
    /// <param name="scale">The factor on the size that the spec asks for; sides round half up.</param>
    /// <exception cref="ImageException">
    /// The network's input would have more pixels than any picture may have.
    /// </exception>
    public static PreprocessingPlan For(
        PreprocessingSpec spec, int height, int width, int minimumSide = 1, double scale = 1)
    {
        ArgumentNullException.ThrowIfNull(spec);
        ArgumentOutOfRangeException.ThrowIfLessThan(height, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(width, 1);
        PreprocessingPlan plan = spec.Resize switch
        {
            ResizePolicy.None => Whole(height, width),
            ResizePolicy.ShortSide policy => ShortSide(policy, height, width),
            ResizePolicy.LongSide policy => LongSide(policy, height, width),
            ResizePolicy.Within policy => Within(policy, height, width),
            ResizePolicy.Stretch policy => Whole(policy.Height, policy.Width),
            ResizePolicy.Letterbox policy => Letterbox(policy, height, width),
            _ => throw new ArgumentException($"{spec.Resize} is no policy that Atrous knows.", nameof(spec)),
        };
        if (scale != 1)
            plan = plan.Times(scale);
        plan = spec is { StretchesToMultiple: true, SizeMultiple: not null }
            ? Whole(Filled(plan.Height), Filled(plan.Width))
            : plan with { Height = Filled(plan.Height), Width = Filled(plan.Width) };
        if ((long)plan.Height * plan.Width > Image.DefaultMaxPixels)
        {
            throw new ImageException(
                $"A picture of {width} x {height} would be resized to {plan.Width} x {plan.Height} ({spec.Resize}), " +
                $"which " +
                "is too large; crop it to a less extreme aspect ratio or choose another size.");
        }
        return plan;

        int Filled(long side)
        {
            long multiple = spec.SizeMultiple ?? 1;
            return (int)Math.Min((Math.Max(side, minimumSide) + multiple - 1) / multiple * multiple, int.MaxValue);
        }
    }

    private PreprocessingPlan Times(double scale)
    {
        int height = Math.Max(Scaled(Height), 1), width = Math.Max(Scaled(Width), 1);
        int top = Math.Min(Scaled(Window.Top), height - 1), left = Math.Min(Scaled(Window.Left), width - 1);
        return new PreprocessingPlan(height, width, new PictureWindow(
            top, left, Math.Clamp(Scaled(Window.Height), 1, height - top),
            Math.Clamp(Scaled(Window.Width), 1, width - left)));

        int Scaled(int pixels) => (int)Math.Min(Math.Floor(pixels * scale + 0.5), int.MaxValue);
    }

    private static PreprocessingPlan Whole(long height, long width)
    {
        int rows = (int)Math.Clamp(height, 1, int.MaxValue), columns = (int)Math.Clamp(width, 1, int.MaxValue);
        return new PreprocessingPlan(rows, columns, new PictureWindow(0, 0, rows, columns));
    }

    private static PreprocessingPlan ShortSide(ResizePolicy.ShortSide policy, int height, int width)
    {
        // torchvision's _compute_resized_output_size: whole-number division, rounding down.
        long shortSide = Math.Min(height, width), longSide = Math.Max(height, width);
        long newShort = policy.Size, newLong = policy.Size * longSide / shortSide;
        if (policy.Max is { } max && newLong > max)
            (newShort, newLong) = (max * newShort / newLong, max);
        return height <= width ? Whole(newShort, newLong) : Whole(newLong, newShort);
    }

    private static PreprocessingPlan LongSide(ResizePolicy.LongSide policy, int height, int width)
    {
        long longSide = Math.Max(height, width);
        if (policy.OnlyShrink && longSide <= policy.Size)
            return Whole(height, width);
        return Whole(Scaled(height), Scaled(width));

        long Scaled(long side) => (2 * side * policy.Size + longSide) / (2 * longSide);  // rounds half up
    }

    private static PreprocessingPlan Within(ResizePolicy.Within policy, int height, int width)
    {
        // mmcv's rescale_size: one factor for both sides, int(side * factor + 0.5).
        double scale = Math.Min(
            (double)policy.Long / Math.Max(height, width), (double)policy.Short / Math.Min(height, width));
        return Whole((long)(height * scale + 0.5), (long)(width * scale + 0.5));
    }

    private static PreprocessingPlan Letterbox(ResizePolicy.Letterbox policy, int height, int width)
    {
        // bubbliiiing's resize_image: int() of both sides, and half of what remains, rounded down.
        double scale = Math.Min((double)policy.Width / width, (double)policy.Height / height);
        int rows = Math.Max((int)(height * scale), 1), columns = Math.Max((int)(width * scale), 1);
        var window = new PictureWindow((policy.Height - rows) / 2, (policy.Width - columns) / 2, rows, columns);
        return new PreprocessingPlan(policy.Height, policy.Width, window);
    }
}

/// <summary>A rectangle of the network's input, in pixels.</summary>
/// <param name="Top">The first row of the part in the network's input.</param>
/// <param name="Left">The first column of the part in the network's input.</param>
/// <param name="Height">The number of rows of the part.</param>
/// <param name="Width">The number of columns of the part.</param>
public readonly record struct PictureWindow(int Top, int Left, int Height, int Width);
