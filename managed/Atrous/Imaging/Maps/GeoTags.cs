using System.Globalization;
using System.Runtime.InteropServices;
using System.Text;
using Atrous.Imaging.Formats;
using BitMiracle.LibTiff.Classic;

namespace Atrous.Imaging.Maps;

/// <summary>
/// What a GeoTIFF says of its place on the earth, as it stands in the file, so that a mask can say the same.
/// </summary>
/// <param name="PixelScale">The map units of a pixel along x, y and z.</param>
/// <param name="TiePoints">Six numbers each: column, row and height in the picture, and their x, y and z.</param>
/// <param name="Transformation">A matrix of 4 x 4 from pixels to the map.</param>
/// <param name="Keys">The keys of the coordinate system: four numbers each, after four of their own.</param>
/// <param name="KeyDoubles">The numbers that the keys point at.</param>
/// <param name="KeyText">The text that the keys point at.</param>
/// <param name="NoData">The value that stands for no data, in words, as GDAL writes it; null for none.</param>
internal sealed record GeoTags(
    double[] PixelScale, double[] TiePoints, double[] Transformation, ushort[] Keys, double[] KeyDoubles,
    string KeyText, string? NoData)
{
    public const int PixelScaleTag = 33550, TiePointsTag = 33922, TransformationTag = 34264, KeysTag = 34735,
        KeyDoublesTag = 34736, KeyTextTag = 34737, NoDataTag = 42113;

    /// <summary>Of a picture that says nothing of its place.</summary>
    public static GeoTags None { get; } = new([], [], [], [], [], "", null);

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

    /// <summary>Says the same in another file.</summary>
    /// <param name="tiff">A file that is being written.</param>
    /// <param name="noData">The value that stands for no data there, as GDAL writes it; null for none.</param>
    public void WriteTo(Tiff tiff, string? noData)
    {
        WriteNumbers(tiff, PixelScaleTag, TiffType.DOUBLE, PixelScale);
        WriteNumbers(tiff, TiePointsTag, TiffType.DOUBLE, TiePoints);
        WriteNumbers(tiff, TransformationTag, TiffType.DOUBLE, Transformation);
        WriteNumbers(tiff, KeysTag, TiffType.SHORT, Array.ConvertAll(Keys, key => (short)key));
        WriteNumbers(tiff, KeyDoublesTag, TiffType.DOUBLE, KeyDoubles);
        WriteText(tiff, KeyTextTag, KeyText);
        WriteText(tiff, NoDataTag, noData ?? "");
    }

    private static void WriteNumbers(Tiff tiff, int tag, TiffType type, Array values)
    {
        if (values.Length == 0)
            return;
        Declare(tiff, tag, type, passCount: true);
        tiff.SetField((TiffTag)tag, values.Length, values);
    }

    private static void WriteText(Tiff tiff, int tag, string text)
    {
        if (text.Length == 0)
            return;
        Declare(tiff, tag, TiffType.ASCII, passCount: false);
        tiff.SetField((TiffTag)tag, text);
    }

    /// <summary>LibTiff does not know the tags of maps.</summary>
    private static void Declare(Tiff tiff, int tag, TiffType type, bool passCount) => tiff.MergeFieldInfo(
        [
            new TiffFieldInfo(
                (TiffTag)tag, TiffFieldInfo.Variable, TiffFieldInfo.Variable, type, FieldBit.Custom, true, passCount,
                $"{tag}"),
        ],
        1);

    /// <summary>Numbers of another type than the standard's count as none.</summary>
    private static T[] Numbers<T>(TiffReader reader, int tag)
        where T : unmanaged =>
        reader.TagBytes(tag) is var (count, bytes) && bytes.Length == count * Marshal.SizeOf<T>()
            ? MemoryMarshal.Cast<byte, T>(bytes).ToArray()
            : [];

    private static string Text(TiffReader reader, int tag) =>
        reader.TagBytes(tag) is var (_, bytes) ? Encoding.Latin1.GetString(bytes).TrimEnd('\0') : "";
}
