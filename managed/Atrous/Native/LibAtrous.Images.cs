using System.Runtime.InteropServices;

namespace Atrous.Native;

/// <content>Pictures: resizing, and the step from bytes to the network's input.</content>
internal static unsafe partial class LibAtrous
{
    /// <summary>
    /// filter is an atrous_filter: 0 Pillow's bilinear, 1 Pillow's bicubic, 2 nearest, 3 plain bilinear.
    /// </summary>
    [LibraryImport(Library, EntryPoint = "atrous_image_resize")]
    public static partial AtrousStatus ImageResize(
        EngineHandle engine, in NativeImage input, int filter, in NativeImage output);

    [LibraryImport(Library, EntryPoint = "atrous_normalize")]
    public static partial AtrousStatus Normalize(
        EngineHandle engine, in NativeImage image, in NativeNormalize desc, in NativeTensor output);
}
