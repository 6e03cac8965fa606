namespace Atrous.Postprocessing;

/// <summary>
/// One colour per class, 1 to 256 of them, and optionally the classes' names. A class beyond the last starts over.
/// </summary>
public sealed class Palette
{
    /// <summary>Colours that a palette, and an 8-bit PNG, can have.</summary>
    public const int MaxColours = 256;

    private readonly Rgb[] _colours;

    /// <param name="colours">The colours of 1 to 256 classes, the first for class 0.</param>
    /// <param name="names">The names of the classes, the first for class 0; null where they have none.</param>
    /// <exception cref="ArgumentException">There are no colours, or too many.</exception>
    public Palette(ReadOnlySpan<Rgb> colours, IReadOnlyList<string>? names = null)
    {
        if (colours.Length is 0 or > MaxColours)
            throw new ArgumentException(
                $"A palette has 1 to {MaxColours} colours, not {colours.Length}.", nameof(colours));
        _colours = colours.ToArray();
        Names = names is null ? [] : [.. names];
    }

    /// <summary>
    /// Black for class 0, then 20 colours that stay apart for colour-blind people as well, then colours far from all
    /// before them.
    /// </summary>
    public static Palette Default { get; } = new(DistinctColours.Take(MaxColours));

    /// <summary>PASCAL VOC's colour map: the bits of the class, spread over the channels' high bits.</summary>
    public static Palette Voc { get; } = new(VocColours());

    /// <summary>The 19 training classes of Cityscapes, road first, in the data set's own colours.</summary>
    public static Palette Cityscapes { get; } = new(
    [
        Rgb.FromHex(0x804080), Rgb.FromHex(0xF423E8), Rgb.FromHex(0x464646), Rgb.FromHex(0x66669C),
        Rgb.FromHex(0xBE9999), Rgb.FromHex(0x999999), Rgb.FromHex(0xFAAA1E), Rgb.FromHex(0xDCDC00),
        Rgb.FromHex(0x6B8E23), Rgb.FromHex(0x98FB98), Rgb.FromHex(0x4682B4), Rgb.FromHex(0xDC143C),
        Rgb.FromHex(0xFF0000), Rgb.FromHex(0x00008E), Rgb.FromHex(0x000046), Rgb.FromHex(0x003C64),
        Rgb.FromHex(0x005064), Rgb.FromHex(0x0000E6), Rgb.FromHex(0x770B20),
    ]);

    /// <summary>The 150 classes of ADE20K, wall first, in the data set's own colours.</summary>
    public static Palette Ade20k { get; } = new(Ade20kColours.All);

    private static readonly Palette AllColoured = new(Default._colours.AsSpan(1));

    /// <summary>What class 0 is called where it stands for nothing in particular: black suits it.</summary>
    private static readonly HashSet<string> Backgrounds =
        new(["background", "__background__", "unlabeled", "unlabelled", "void", "other", "others"],
        StringComparer.OrdinalIgnoreCase);

    /// <summary>
    /// The colours for these classes: Cityscapes' and ADE20K's own for theirs; <see cref="Default"/> where class 0 is a
    /// background or nothing has a name; else the default's colours without the black, since class 0 is as much a thing
    /// as the others.
    /// </summary>
    /// <param name="classNames">The names from class 0 on; the list may be empty.</param>
    public static Palette For(IReadOnlyList<string> classNames) => classNames switch
    {
        [] => Default,
        ["road", "sidewalk", ..] when classNames.Count == Cityscapes.Colours.Count => Cityscapes,
        ["wall", ..] when Ade20kColours.AreOf(classNames) => Ade20k,
        [var first, ..] when Backgrounds.Contains(first) => Default,
        _ => AllColoured,
    };

    public IReadOnlyList<Rgb> Colours => _colours;

    /// <summary>The classes' names from class 0 on; empty where there are none.</summary>
    public IReadOnlyList<string> Names { get; }

    /// <summary>The colour of a class.</summary>
    /// <param name="label">The number of the class, counted from 0; after the last colour they begin again.</param>
    public Rgb this[int label] => _colours[label % _colours.Length];

    /// <summary>The name of a class, or null.</summary>
    /// <param name="label">The number of the class, counted from 0.</param>
    public string? NameOf(int label) => label < Names.Count ? Names[label] : null;

    /// <summary>The same colours with these names.</summary>
    /// <param name="names">The names of the classes, from class 0 on.</param>
    public Palette WithNames(IReadOnlyList<string> names) => new(_colours, names);

    /// <summary>The same, but for a label of pixels without data that has a place in a file's palette: black.</summary>
    internal Palette WithoutData(int? label) => label != MaxColours - 1
        ? this
        : new([.. Enumerable.Range(0, MaxColours - 1).Select(other => this[other]), default], Names);

    private static Rgb[] VocColours()
    {
        var colours = new Rgb[MaxColours];
        for (int label = 0; label < MaxColours; label++)
        {
            int red = 0, green = 0, blue = 0;
            for (int bits = label, shift = 7; bits != 0; bits >>= 3, shift--)
            {
                red |= (bits & 1) << shift;
                green |= (bits >> 1 & 1) << shift;
                blue |= (bits >> 2 & 1) << shift;
            }
            colours[label] = new Rgb((byte)red, (byte)green, (byte)blue);
        }
        return colours;
    }
}
