using System.Globalization;
using System.Text.Json.Serialization;

namespace Atrous.Specs;

/// <summary>
/// How a picture becomes a network's input, as data: resized by <see cref="Resize"/> with <see cref="Filter"/>, then
/// per channel (pixel * <see cref="Scale"/> - mean) / std. Equal when all of it is equal.
/// </summary>
public sealed record PreprocessingSpec
{
    /// <summary>
    /// ImageNet's statistics on RGB from 0 to 1, the habit of torchvision and of most who use its backbones.
    /// </summary>
    public static readonly PreprocessingSpec ImageNet = new()
    {
        Scale = 1f / 255f,
        Mean = [0.485f, 0.456f, 0.406f],
        Std = [0.229f, 0.224f, 0.225f],
    };

    /// <summary>
    /// The order in which the network takes the colours. Pictures of other than 3 channels keep theirs.
    /// </summary>
    public ChannelOrder Order { get; init; }

    /// <summary>Factor on the byte: 1/255 or 1.</summary>
    public required float Scale { get; init; }

    /// <summary>
    /// One per channel of the network's input, in its order (B, G, R for <see cref="ChannelOrder.Bgr"/>), after
    /// scaling.
    /// </summary>
    public required IReadOnlyList<float> Mean { get; init; }

    /// <summary>As <see cref="Mean"/>; positive.</summary>
    public required IReadOnlyList<float> Std { get; init; }

    /// <summary>Which size the network sees.</summary>
    public ResizePolicy Resize { get; init; } = new ResizePolicy.None();

    public ResizeFilter Filter { get; init; }

    /// <summary>The filter of pictures that become larger; null for <see cref="Filter"/>.</summary>
    public ResizeFilter? EnlargingFilter { get; init; }

    /// <summary>
    /// Height and width of the network's input are multiples of this: below and to the right of the picture lies what
    /// is 0 to the network, and has no part in the mask. Null for the picture alone.
    /// </summary>
    public int? SizeMultiple { get; init; }

    /// <summary>
    /// The picture itself is stretched up to <see cref="SizeMultiple"/>, each side by itself, and nothing is filled up
    /// (mmsegmentation's ResizeToMultiple).
    /// </summary>
    public bool StretchesToMultiple { get; init; }

    /// <summary>Channels of the network's input.</summary>
    [JsonIgnore]
    public int Channels => Mean.Count;

    /// <summary>One line for people: "RGB / 255, ImageNet mean and std, native size".</summary>
    [JsonIgnore]
    public string Description
    {
        get
        {
            string colours = Channels switch
            {
                1 => "grey",
                3 => Order == ChannelOrder.Bgr ? "BGR" : "RGB",
                _ => $"{Channels} bands",
            };
            string scale = Scale switch
            {
                1f => "from 0 to 255",
                1f / 255f => "from 0 to 1",
                _ => $"times {Scale.ToString("R", CultureInfo.InvariantCulture)}",
            };
            string resize = Resize is ResizePolicy.None ? Resize.ToString() : $"{Resize} ({Name(Filter)})";
            string filled = SizeMultiple is { } multiple
                ? string.Create(
                    CultureInfo.InvariantCulture,
                    $", {(StretchesToMultiple ? "stretched" : "filled")} up to multiples of {multiple}")
                : "";
            return $"{colours} {scale}, {Statistics()}, {resize}{filled}";
        }
    }

    public bool Equals(PreprocessingSpec? other) =>
        other is not null && Order == other.Order && Scale == other.Scale && Resize == other.Resize &&
        Filter == other.Filter && EnlargingFilter == other.EnlargingFilter && SizeMultiple == other.SizeMultiple
            && StretchesToMultiple == other.StretchesToMultiple && Mean.SequenceEqual(other.Mean)
            && Std.SequenceEqual(other.Std);

    public override int GetHashCode()
    {
        var hash = new HashCode();
        hash.Add((Order, Scale, Resize, Filter, EnlargingFilter, SizeMultiple, StretchesToMultiple));
        foreach (float value in Mean.Concat(Std))
            hash.Add(value);
        return hash.ToHashCode();
    }

    public override string ToString() => Description;

    private static string Name(ResizeFilter filter) => filter switch
    {
        ResizeFilter.Bicubic => "bicubic",
        ResizeFilter.BilinearPlain => "bilinear without antialiasing",
        _ => "bilinear",
    };

    private string Statistics()
    {
        if (Mean.SequenceEqual(ImageNet.Mean) && Std.SequenceEqual(ImageNet.Std))
            return "ImageNet's mean and std";
        bool noMean = Mean.All(mean => mean == 0), noStd = Std.All(std => std == 1);
        return (noMean, noStd) switch
        {
            (true, true) => "no mean or std",
            (true, false) => $"std {List(Std)}",
            (false, true) => $"mean {List(Mean)}",
            _ => $"mean {List(Mean)}, std {List(Std)}",
        };

        static string List(IReadOnlyList<float> values) =>
            string.Join(',', values.Select(value => value.ToString("R", CultureInfo.InvariantCulture)));
    }
}

/// <summary>The order of colours in a pixel.</summary>
public enum ChannelOrder
{
    Rgb,
    Bgr,
}

/// <summary>How a picture is resized. The numbers are those of atrous_filter.</summary>
public enum ResizeFilter
{
    /// <summary>Pillow's BILINEAR, bit for bit: the triangle widens when shrinking, so nothing aliases.</summary>
    Bilinear = 0,

    /// <summary>Pillow's BICUBIC (a = -0.5), bit for bit.</summary>
    Bicubic = 1,

    /// <summary>Two taps whatever the scale: OpenCV's INTER_LINEAR, torch's interpolate without antialias.</summary>
    BilinearPlain = 3,
}

/// <summary>
/// From the picture's size to the network's, a closed set. There is no crop: a mask covers the whole picture. (The
/// "resize the short side, then crop the centre" of evaluation scripts only makes batches of one size.)
/// </summary>
[JsonPolymorphic(TypeDiscriminatorPropertyName = "kind")]
[JsonDerivedType(typeof(None), "none")]
[JsonDerivedType(typeof(ShortSide), "shortSide")]
[JsonDerivedType(typeof(LongSide), "longSide")]
[JsonDerivedType(typeof(Within), "within")]
[JsonDerivedType(typeof(Stretch), "stretch")]
[JsonDerivedType(typeof(Letterbox), "letterbox")]
public abstract record ResizePolicy
{
    private ResizePolicy()
    {
    }

    /// <summary>The picture's own size.</summary>
    public sealed record None : ResizePolicy
    {
        public override string ToString() => "native size";
    }

    /// <summary>
    /// The shorter side becomes <paramref name="Size"/> and the longer int(Size * long / short), as torchvision's
    /// Resize.
    /// </summary>
    /// <param name="Size">The number of pixels of the shorter side.</param>
    /// <param name="Max">The longer side is at most this, and the shorter follows; null for no such limit.</param>
    public sealed record ShortSide(int Size, int? Max = null) : ResizePolicy
    {
        public override string ToString() =>
            $"short side {Size}" + (Max is { } max ? $", long side at most {max}" : "");
    }

    /// <summary>The longer side becomes <paramref name="Size"/>, the aspect ratio stays; sides round half up.</summary>
    /// <param name="Size">The number of pixels of the longer side.</param>
    /// <param name="OnlyShrink">Smaller pictures keep their size.</param>
    public sealed record LongSide(int Size, bool OnlyShrink) : ResizePolicy
    {
        public override string ToString() => OnlyShrink ? $"long side at most {Size}" : $"long side {Size}";
    }

    /// <summary>
    /// As large as fits into a frame with its aspect ratio kept, the longer side along the frame's longer one; sides
    /// round half up (mmsegmentation's Resize with keep_ratio).
    /// </summary>
    /// <param name="Long">The number of pixels of the frame's longer side.</param>
    /// <param name="Short">The number of pixels of the frame's shorter side.</param>
    public sealed record Within(int Long, int Short) : ResizePolicy
    {
        public override string ToString() => $"fitted into {Long}x{Short}";
    }

    /// <summary>This size, whatever the aspect ratio.</summary>
    /// <param name="Height">The number of rows of the result.</param>
    /// <param name="Width">The number of columns of the result.</param>
    public sealed record Stretch(int Height, int Width) : ResizePolicy
    {
        public override string ToString() => $"stretched to {Height}x{Width}";
    }

    /// <summary>As large as fits into this size with its aspect ratio kept, centred, the rest filled.</summary>
    /// <param name="Height">The number of rows of the whole, borders included.</param>
    /// <param name="Width">The number of columns of the whole, borders included.</param>
    /// <param name="Fill">The byte value around the picture, in every channel.</param>
    public sealed record Letterbox(int Height, int Width, byte Fill) : ResizePolicy
    {
        public override string ToString() => $"letterboxed into {Height}x{Width} on {Fill}";
    }
}
