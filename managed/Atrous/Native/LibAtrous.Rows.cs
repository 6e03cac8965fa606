using System.Runtime.InteropServices;

namespace Atrous.Native;

/// <content>Pictures that are not held whole (atrous_pictures.h).</content>
internal static unsafe partial class LibAtrous
{
    [LibraryImport(Library, EntryPoint = "atrous_png_rows_open")]
    public static partial AtrousStatus PngRowsOpen(
        byte* bytes, nuint size, long maxPixels, out nint rows, out NativeImageInfo info);

    [LibraryImport(Library, EntryPoint = "atrous_png_rows_read")]
    public static partial AtrousStatus PngRowsRead(nint rows, byte* pixels, int count, out int lacksEnd);

    [LibraryImport(Library, EntryPoint = "atrous_png_rows_destroy")]
    public static partial void PngRowsDestroy(nint rows);

    [LibraryImport(Library, EntryPoint = "atrous_label_rows_open")]
    public static partial AtrousStatus LabelRowsOpen(
        int height, int width, byte* palette, int colours, int level, out nint rows);

    [LibraryImport(Library, EntryPoint = "atrous_label_rows_write")]
    public static partial AtrousStatus LabelRowsWrite(nint rows, ushort* labels, int count);

    [LibraryImport(Library, EntryPoint = "atrous_label_rows_end")]
    public static partial AtrousStatus LabelRowsEnd(nint rows, out NativeBytes bytes);

    [LibraryImport(Library, EntryPoint = "atrous_label_rows_destroy")]
    public static partial void LabelRowsDestroy(nint rows);
}
