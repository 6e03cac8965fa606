using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace Atrous.Imaging.Formats;

/// <summary>What a JPEG's components mean.</summary>
internal enum JpegColour
{
    Grey,
    Rgb,
    Luma,
    Inks,
    LumaInks,
}

/// <summary>From rows of components to RGB, with the bits of libjpeg and of Pillow.</summary>
internal static unsafe class JpegColours
{
    /// <summary>FIX(x) of libjpeg: 16 bits of fraction.</summary>
    private const int RedOfCr = 91881, BlueOfCb = 116130, GreenOfCr = 46802, GreenOfCb = 22554, Half = 1 << 15;

    /// <summary>A row of pixels. Behind the components' rows there are bytes enough to read a vector.</summary>
    public static void Convert(JpegColour colour, byte** rows, Span<byte> rgb)
    {
        int width = rgb.Length / 3;
        switch (colour)
        {
            case JpegColour.Luma:
                OfLuma(rows[0], rows[1], rows[2], rgb);
                break;
            case JpegColour.Rgb:
                for (int x = 0; x < width; x++)
                    (rgb[3 * x], rgb[3 * x + 1], rgb[3 * x + 2]) = (rows[0][x], rows[1][x], rows[2][x]);
                break;
            case JpegColour.LumaInks:
                OfLuma(rows[0], rows[1], rows[2], rgb);
                for (int x = 0; x < width; x++)
                {
                    for (int c = 0; c < 3; c++)
                        rgb[3 * x + c] = OfInk((byte)(byte.MaxValue - rgb[3 * x + c]), rows[3][x]);
                }
                break;
            default:
                for (int x = 0; x < width; x++)
                {
                    for (int c = 0; c < 3; c++)
                        rgb[3 * x + c] = OfInk(rows[c][x], rows[3][x]);
                }
                break;
        }
    }

    /// <summary>
    /// Pillow's conversion. Inks are stored inverted, as Adobe's programs write them and everybody after them.
    /// </summary>
    private static byte OfInk(byte ink, byte light)
    {
        int product = (byte.MaxValue - ink) * light + 128;
        return (byte)Math.Max(0, light - (((product >> 8) + product) >> 8));
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void OfLuma(byte* luma, byte* blue, byte* red, Span<byte> rgb)
    {
        int width = rgb.Length / 3, x = 0;
        Vector128<byte> order = Vector128.Create((byte)0, 1, 2, 4, 5, 6, 8, 9, 10, 12, 13, 14, 255, 255, 255, 255);
        Vector256<int> most = Vector256.Create(255), half = Vector256.Create(Half);
        fixed (byte* to = rgb)
        {
            // Each writes four bytes more than it has pixels for.
            for (; x + 8 + 2 <= width; x += 8)
            {
                Vector256<int> y = Load(luma + x), cb = Load(blue + x) - Vector256.Create(128);
                Vector256<int> cr = Load(red + x) - Vector256.Create(128);
                Vector256<int> r = y + ((cr * RedOfCr + half) >> 16), b = y + ((cb * BlueOfCb + half) >> 16);
                Vector256<int> g = y + ((half - cb * GreenOfCb - cr * GreenOfCr) >> 16);
                Vector256<byte> pixels = (Clamp(r, most) | Clamp(g, most) << 8 | Clamp(b, most) << 16).AsByte();
                Vector128.Shuffle(pixels.GetLower(), order).Store(to + 3 * x);
                Vector128.Shuffle(pixels.GetUpper(), order).Store(to + 3 * x + 12);
            }
            for (; x < width; x++)
            {
                int y = luma[x], cb = blue[x] - 128, cr = red[x] - 128;
                to[3 * x] = Clamp(y + ((cr * RedOfCr + Half) >> 16));
                to[3 * x + 1] = Clamp(y + ((Half - cb * GreenOfCb - cr * GreenOfCr) >> 16));
                to[3 * x + 2] = Clamp(y + ((cb * BlueOfCb + Half) >> 16));
            }
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<int> Load(byte* from)
    {
        Vector128<ushort> wide = Vector128.WidenLower(Vector128.CreateScalar(*(ulong*)from).AsByte());
        return Vector256.Create(Vector128.WidenLower(wide), Vector128.WidenUpper(wide)).AsInt32();
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<int> Clamp(Vector256<int> values, Vector256<int> most) =>
        Vector256.Min(Vector256.Max(values, Vector256<int>.Zero), most);

    private static byte Clamp(int value) => (byte)Math.Clamp(value, 0, byte.MaxValue);
}
