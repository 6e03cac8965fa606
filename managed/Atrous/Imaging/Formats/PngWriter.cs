using System.Buffers.Binary;
using System.IO.Compression;
using System.IO.Hashing;
using Atrous.Files;

namespace Atrous.Imaging.Formats;

/// <summary>Writes a PNG row by row into memory.</summary>
internal sealed class PngWriter : IDisposable
{
    private readonly MemoryStream _file = new();
    private readonly PngChunkStream _data;
    private readonly ZLibStream _packed;
    private readonly int _height, _step;
    private readonly bool _filters;
    private readonly byte[] _differences;
    private byte[] _row, _above;
    private int _written;

    /// <summary>Writes all that comes before the first row.</summary>
    /// <param name="height">The picture's number of rows.</param>
    /// <param name="width">The number of pixels in a row.</param>
    /// <param name="colour">What its pixels hold.</param>
    /// <param name="depth">Bits of a sample: 8 or 16.</param>
    /// <param name="palette">Three bytes for each colour, where there is a palette.</param>
    /// <param name="level">How hard zlib tries, 0 to 9.</param>
    public PngWriter(int height, int width, PngColour colour, int depth, ReadOnlySpan<byte> palette, int level)
    {
        int samples = colour switch
        {
            PngColour.Rgb => 3,
            PngColour.GreyAlpha => 2,
            PngColour.Rgba => 4,
            _ => 1,
        };
        (_height, _step) = (height, samples * depth / 8);
        // A label's neighbours are most often the same label, which filters would only disturb. For photos the one
        // filter costs a fraction of a search for the best and loses little.
        _filters = colour != PngColour.Palette && depth == 8;
        (_row, _above) = (new byte[width * _step], new byte[width * _step]);
        _differences = new byte[1 + _row.Length];
        _differences[0] = _filters ? PngFilters.Paeth : PngFilters.None;

        _file.Write([0x89, (byte)'P', (byte)'N', (byte)'G', (byte)'\r', (byte)'\n', 0x1a, (byte)'\n']);
        Span<byte> header = stackalloc byte[13];
        BinaryPrimitives.WriteInt32BigEndian(header, width);
        BinaryPrimitives.WriteInt32BigEndian(header[4..], height);
        (header[8], header[9]) = ((byte)depth, (byte)colour);
        header[10..].Clear();
        PngChunkStream.Write(_file, "IHDR"u8, header);
        if (colour == PngColour.Palette)
            PngChunkStream.Write(_file, "PLTE"u8, palette);
        _data = new PngChunkStream(_file);
        _packed = new ZLibStream(_data, new ZLibCompressionOptions { CompressionLevel = level }, leaveOpen: true);
    }

    /// <summary>Where the next row goes, which <see cref="WriteRow"/> then writes.</summary>
    public Span<byte> Row => _row;

    /// <exception cref="ArgumentException">All rows are written.</exception>
    public void WriteRow()
    {
        if (_written == _height)
            throw new ArgumentException($"The picture has {_height} rows, and more were given.");
        if (_filters)
            PngFilters.ApplyPaeth(_row, _above, _step, _differences.AsSpan(1));
        else
            _row.CopyTo(_differences, 1);
        _packed.Write(_differences);
        (_row, _above) = (_above, _row);
        _written++;
    }

    /// <summary>The file, once all rows are written.</summary>
    /// <exception cref="ArgumentException">Rows are missing.</exception>
    public EncodedImage End()
    {
        if (_written != _height)
            throw new ArgumentException($"{_written} of the picture's {_height} rows were given.");
        _packed.Dispose();
        _data.Flush();
        PngChunkStream.Write(_file, "IEND"u8, []);
        return new EncodedImage(_file.GetBuffer().AsMemory(0, (int)_file.Length));
    }

    public void Dispose()
    {
        _packed.Dispose();
        _data.Dispose();
        _file.Dispose();
    }
}

/// <summary>Cuts what is written to it into a PNG's chunks of pixels.</summary>
internal sealed class PngChunkStream(MemoryStream file) : SinkStream
{
    private const int ChunkSize = 1 << 16;

    private readonly byte[] _chunk = new byte[ChunkSize];
    private int _size;

    /// <exception cref="ImageException">The file would be larger than 2 GiB.</exception>
    public static void Write(MemoryStream file, ReadOnlySpan<byte> name, ReadOnlySpan<byte> data)
    {
        if (file.Length + data.Length + PngChunk.Head + PngChunk.Checksum > Array.MaxLength)
            throw new ImageException("The picture's file would be larger than 2 GiB; scale the picture down.");
        Span<byte> number = stackalloc byte[sizeof(uint)];
        BinaryPrimitives.WriteInt32BigEndian(number, data.Length);
        file.Write(number);
        file.Write(name);
        file.Write(data);
        var sum = new Crc32();
        sum.Append(name);
        sum.Append(data);
        BinaryPrimitives.WriteUInt32BigEndian(number, sum.GetCurrentHashAsUInt32());
        file.Write(number);
    }

    public override void Write(ReadOnlySpan<byte> buffer)
    {
        while (!buffer.IsEmpty)
        {
            if (_size == ChunkSize)
                Flush();
            int count = Math.Min(buffer.Length, ChunkSize - _size);
            buffer[..count].CopyTo(_chunk.AsSpan(_size));
            _size += count;
            buffer = buffer[count..];
        }
    }

    /// <summary>Writes what is gathered as a chunk.</summary>
    public override void Flush()
    {
        if (_size > 0)
            Write(file, "IDAT"u8, _chunk.AsSpan(0, _size));
        _size = 0;
    }
}
