using System.Runtime.InteropServices;

namespace Atrous.Native;

/// <summary>
/// All imports of libatrous (native/include/atrous.h), a file per section of the header. Arguments are checked before
/// they come here; what libatrous refuses all the same becomes an exception in <see cref="ThrowIfFailed"/>.
/// </summary>
internal static unsafe partial class LibAtrous
{
    internal const string Library = "atrous";

    static LibAtrous() => NativeLibrary.SetDllImportResolver(typeof(LibAtrous).Assembly, NativeFile.Resolve);

    /// <summary>Turns a failure into the exception that the caller of Atrous should see.</summary>
    /// <param name="status">What the import returned.</param>
    /// <param name="subject">What was worked on (a file name), put before the message.</param>
    public static void ThrowIfFailed(AtrousStatus status, string? subject = null)
    {
        if (status != AtrousStatus.Ok)
            throw ToException(status, subject);
    }

    /// <summary>Handles created and not yet destroyed, of all kinds, in the whole process. For leak checks.</summary>
    [LibraryImport(Library, EntryPoint = "atrous_live_handles")]
    public static partial long LiveHandles();

    [LibraryImport(Library, EntryPoint = "atrous_last_error")]
    private static partial byte* LastError();

    private static Exception ToException(AtrousStatus status, string? subject)
    {
        string message = Marshal.PtrToStringUTF8((nint)LastError()) ?? "";
        if (subject is not null)
            message = $"{subject}: {message}";
        if (status is not (AtrousStatus.OutOfMemory or AtrousStatus.Internal))
            message += ".";
        return status switch
        {
            AtrousStatus.TooLarge => new ImageException(message) { Remedy = Remedy.MorePixels },
            AtrousStatus.InvalidArgument => new ArgumentException(message),
            AtrousStatus.Unsupported => new UnavailableException(message),
            AtrousStatus.NotFinite => new ScoreException(),
            AtrousStatus.OutOfMemory => new MemoryException(
                $"Memory ran out ({message}); use a smaller picture or batch, or free memory."),
            _ => new InternalErrorException(
                $"libatrous failed where it never should ({message}); please report this."),
        };
    }
}
