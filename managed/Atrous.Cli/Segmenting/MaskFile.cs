using Atrous.Cli.Batches;
using Atrous.Cli.Output;
using Atrous.Imaging.Maps;
using Atrous.Postprocessing;

namespace Atrous.Cli.Segmenting;

/// <summary>A mask as a PNG, or where its name is a TIFF's as a TIFF, which says where it lies.</summary>
internal static class MaskFile
{
    /// <param name="stream">The stream that gets the file's bytes.</param>
    /// <param name="path">The name of the file, which decides the format.</param>
    /// <param name="mask">The mask that is written.</param>
    /// <param name="palette">The user's colours; null for the mask's.</param>
    /// <param name="place">What the picture says of its place; null for nothing.</param>
    /// <param name="record">What the mask was made of, which the file tells; null for nothing.</param>
    public static void Write(
        Stream stream, string path, Segmentation mask, Palette? palette, GeoTags? place, MaskRecord? record)
    {
        if (!OutputNames.IsTiff(path))
        {
            if (record is null)
            {
                mask.SaveMask(stream, palette);
                return;
            }
            var file = new MemoryStream();
            mask.SaveMask(file, palette);
            stream.Write(record.AddTo(file.GetBuffer().AsSpan(0, (int)file.Length)));
            return;
        }
        using var rows = new LabelTiff(
            stream, mask.Height, mask.Width, mask.FileClasses, mask.Written(palette), place, mask.NoDataLabel);
        rows.Write(mask.Labels);
        rows.End(record?.ToText());
    }
}
