using BitMiracle.LibTiff.Classic;

namespace Atrous.Imaging.Formats;

/// <summary>A file in memory, as LibTiff reads it.</summary>
internal sealed unsafe class TiffMemory(FileBytes file) : TiffStream
{
    private long _at;

    public override int Read(object clientData, byte[] buffer, int offset, int count)
    {
        int read = (int)Math.Clamp(file.Length - _at, 0, count);
        if (read > 0)
            file.Slice(_at, read).CopyTo(buffer.AsSpan(offset));
        _at += read;
        return read;
    }

    public override void Write(object clientData, byte[] buffer, int offset, int count) =>
        throw new NotSupportedException();

    public override long Seek(object clientData, long offset, SeekOrigin origin)
    {
        long from = origin switch
        {
            SeekOrigin.Begin => 0,
            SeekOrigin.Current => _at,
            _ => file.Length,
        };
        return _at = Math.Max(0, from + offset);
    }

    public override void Close(object clientData)
    {
    }

    public override long Size(object clientData) => file.Length;
}

/// <summary>What LibTiff has to say, which would else go to the console: one place in a process.</summary>
internal sealed class TiffMessages : TiffErrorHandler
{
    [ThreadStatic]
    private static bool _damaged;

    static TiffMessages() => Tiff.SetErrorHandler(new TiffMessages());

    /// <summary>Something was wrong in this thread's last call of <see cref="Quietly"/>.</summary>
    public static bool WasDamaged => _damaged;

    public static T Quietly<T>(Func<T> read)
    {
        _damaged = false;
        return read();
    }

    public override void ErrorHandler(Tiff tif, string method, string format, params object[] args) => _damaged = true;

    /// <summary>It only warns of JPEG data that end early. While opening it warns of unknown tags too.</summary>
    public override void WarningHandler(Tiff tif, string method, string format, params object[] args) =>
        _damaged = true;
}
