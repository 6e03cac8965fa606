using System.Globalization;
using System.Runtime.InteropServices;
using System.Text;
using Atrous.Imaging.Formats;

namespace Atrous.Imaging.Maps;

/// <summary>
/// What a GeoTIFF says of its place on the earth, as it stands in the file, so that a mask can say the same.
/// </summary>
/// <param name="PixelScale">Map units of a pixel along x, y and z.</param>
/// <param name="TiePoints">Six numbers each: column, row and height in the picture, and their x, y and z.</param>
/// <param name="Transformation">A matrix of 4 x 4 from pixels to the map.</param>
/// <param name="Keys">The keys of the coordinate system: four numbers each, after four of their own.</param>
/// <param name="KeyDoubles">Numbers that the keys point at.</param>
/// <param name="KeyText">Text that the keys point at.</param>
/// <param name="NoData">The value that stands for no data, in words, as GDAL writes it; null for none.</param>
internal sealed record GeoTags(
    double[] PixelScale, double[] TiePoints, double[] Transformation, ushort[] Keys, double[] KeyDoubles,
    string KeyText, string? NoData)
{
    public const int PixelScaleTag = 33550, TiePointsTag = 33922, TransformationTag = 34264, KeysTag = 34735,
        KeyDoublesTag = 34736, KeyTextTag = 34737, NoDataTag = 42113;

    /// <summary>The file says where it lies.</summary>
    public bool IsPlaced => PixelScale.Length > 0 || TiePoints.Length > 0 || Transformation.Length > 0;

    /// <summary>The value of no data; null where there is none, or it makes no sense.</summary>
    public double? NoDataValue =>
        double.TryParse(NoData, NumberStyles.Float, CultureInfo.InvariantCulture, out double value) ? value : null;

    public static GeoTags Of(TiffReader reader)
    {
        string noData = Text(reader, NoDataTag).Trim();
        return new(
            Numbers<double>(reader, PixelScaleTag), Numbers<double>(reader, TiePointsTag),
            Numbers<double>(reader, TransformationTag), Numbers<ushort>(reader, KeysTag),
            Numbers<double>(reader, KeyDoublesTag), Text(reader, KeyTextTag), noData.Length > 0 ? noData : null);
    }

    /// <summary>Numbers of another type than the standard's count as none.</summary>
    private static T[] Numbers<T>(TiffReader reader, int tag)
        where T : unmanaged =>
        reader.TagBytes(tag) is var (count, bytes) && bytes.Length == count * Marshal.SizeOf<T>()
            ? MemoryMarshal.Cast<byte, T>(bytes).ToArray()
            : [];

    private static string Text(TiffReader reader, int tag) =>
        reader.TagBytes(tag) is var (_, bytes) ? Encoding.Latin1.GetString(bytes).TrimEnd('\0') : "";
}
