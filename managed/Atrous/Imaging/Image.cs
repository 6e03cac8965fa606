using Atrous.Native;

namespace Atrous.Imaging;

/// <summary>
/// A picture of 8-bit channels, interleaved: channel c of pixel (y, x) is at y * RowStride + x * Channels + c. Its
/// memory lies outside the garbage-collected heap; dispose it to give the memory back.
/// </summary>
public sealed unsafe partial class Image : IDisposable
{
    /// <summary>
    /// Pixels that a file's header may claim unless the caller says otherwise: 268 million, 16384 x 16384.
    /// </summary>
    public const long DefaultMaxPixels = 1L << 28;

    private readonly PixelBuffer _buffer;

    /// <summary>A black picture with packed rows, whose pixels are for the caller to write.</summary>
    /// <param name="height">The number of rows, at least 1.</param>
    /// <param name="width">The number of pixels in a row, at least 1.</param>
    /// <param name="channels">
    /// The number of channels: 1 for grey, 2 for grey and alpha, 3 for RGB, 4 for RGBA or any four bands.
    /// </param>
    /// <exception cref="ArgumentOutOfRangeException">
    /// A side or channel count that no picture has, or more than 2^31 bytes.
    /// </exception>
    /// <exception cref="OutOfMemoryException">The system has no such block to give.</exception>
    public Image(int height, int width, int channels)
        : this(height, width, PixelFormats.Of(channels))
    {
    }

    /// <summary>A black picture with packed rows, whose pixels are for the caller to write.</summary>
    /// <param name="height">The number of rows, at least 1.</param>
    /// <param name="width">The number of pixels in a row, at least 1.</param>
    /// <param name="format">The bytes of a pixel.</param>
    /// <inheritdoc cref="Image(int, int, int)" path="/exception"/>
    public Image(int height, int width, PixelFormat format)
    {
        CheckSize(height, width, format.Channels());
        _buffer = new PixelBuffer(height, width, format);
    }

    private Image(PixelBuffer buffer) => _buffer = buffer;

    /// <summary>The number of rows.</summary>
    public int Height => _buffer.Image.Height;

    /// <summary>The number of pixels in a row.</summary>
    public int Width => _buffer.Image.Width;

    /// <summary>Bytes of a pixel: 1 grey, 2 grey and alpha, 3 colours, 4 colours and alpha.</summary>
    public int Channels => _buffer.Image.Channels;

    /// <summary>The order of a pixel's bytes. Files are read as red first.</summary>
    public PixelFormat Format => _buffer.Format;

    /// <summary>
    /// Bytes from the start of a row to the start of the next: Width * Channels, or more where the memory is somebody
    /// else's and has gaps.
    /// </summary>
    public int RowStride => (int)_buffer.Image.RowStride;

    /// <summary>
    /// All pixels, Height * Width * Channels bytes. Valid until the picture is disposed. <see cref="Row"/> gives them
    /// row by row, for any picture.
    /// </summary>
    /// <exception cref="InvalidOperationException">There are gaps between the rows.</exception>
    /// <exception cref="ObjectDisposedException">The picture is disposed.</exception>
    public Span<byte> Pixels
    {
        get
        {
            ObjectDisposedException.ThrowIf(_buffer.IsClosed, this);
            int row = Width * Channels;
            return RowStride == row
                ? new Span<byte>(_buffer.Image.Pixels, Height * row)
                : throw new InvalidOperationException("There are gaps between this picture's rows; read it by Row(y).");
        }
    }

    /// <summary>
    /// Of a picture of 16 bits a channel the lower eight, as a picture of the same size and format; null of 8 bits.
    /// Networks get all 16, and all else the upper eight that <see cref="Pixels"/> has. It is disposed with this one.
    /// </summary>
    internal Image? Lower { get; set; }

    /// <summary>
    /// What networks get instead of the bytes, <see cref="Bands"/> numbers a pixel, row by row; null for the bytes.
    /// </summary>
    internal float[]? Samples { get; set; }

    /// <summary>Networks get more of this picture than its bytes.</summary>
    internal bool IsDeep => Lower is not null || Samples is not null;

    /// <summary>
    /// Numbers of a pixel that networks get: those of <see cref="FromBands"/>, else <see cref="Channels"/>.
    /// </summary>
    public int Bands => Samples is null ? Channels : Samples.Length / (Height * Width);

    /// <summary>One row, Width * Channels bytes. Valid until the picture is disposed.</summary>
    /// <param name="y">The row, 0 to Height - 1, counted from the top.</param>
    /// <exception cref="ArgumentOutOfRangeException">There is no such row.</exception>
    /// <exception cref="ObjectDisposedException">The picture is disposed.</exception>
    public Span<byte> Row(int y)
    {
        ObjectDisposedException.ThrowIf(_buffer.IsClosed, this);
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual((uint)y, (uint)Height, nameof(y));
        return new Span<byte>(_buffer.Image.Pixels + y * _buffer.Image.RowStride, Width * Channels);
    }

    /// <summary>
    /// Frees the pixels, or disposes their owner (<see cref="FromPixels(nint, int, int, PixelFormat, int,
    /// IDisposable?)"/>).
    /// </summary>
    public void Dispose()
    {
        Lower?.Dispose();
        _buffer.Dispose();
    }

    public override string ToString() => $"{Width} x {Height} pixels of {Channels} channels";

    /// <summary>The picture for libatrous, kept alive until the lease ends.</summary>
    internal PixelLease Lease() => new(_buffer);

    /// <summary>
    /// The same for longer than a method: the buffer is added to those that the caller releases in the end.
    /// </summary>
    internal NativeImage Hold(List<PixelBuffer> held)
    {
        bool added = false;
        _buffer.DangerousAddRef(ref added);
        held.Add(_buffer);
        return _buffer.Image;
    }

    private static void CheckSize(int height, int width, int channels)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(height, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(width, 1);
        ArgumentOutOfRangeException.ThrowIfGreaterThan((long)height * width, int.MaxValue / channels, "height * width");
    }
}
