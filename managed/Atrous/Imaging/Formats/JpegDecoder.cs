namespace Atrous.Imaging.Formats;

/// <summary>
/// Decodes JPEGs of Huffman codes, with the bits of libjpeg. Damage is refused: a mask of the grey that others paint
/// where data are missing is worse than an error. Oddities that lose no pixel (bytes between segments, unusual markers)
/// are not.
/// </summary>
internal sealed unsafe class JpegDecoder : IDisposable
{
    /// <summary>
    /// A hostile progressive JPEG can ask for millions of passes over the picture; real ones have some ten.
    /// </summary>
    private const int MostScans = 100;

    private readonly FileBytes _file;
    private readonly JpegFrame _frame;
    private readonly JpegTables _tables = new();
    private readonly JpegQuantization _quantization;
    private readonly JpegGrid _grid;
    private JpegCoefficients? _whole;
    private JpegProgress? _progress;
    private int _restartInterval;

    // Of the scan at hand.
    private JpegBits _bits;
    private int _toRestart, _restarts;

    private JpegDecoder(FileBytes file, JpegFrame frame)
    {
        (_file, _frame, _grid) = (file, frame, new JpegGrid(frame));
        _quantization = new JpegQuantization(frame);
    }

    private ReadOnlySpan<byte> Bytes => _file.Slice(0, (int)_file.Length);

    /// <summary>The picture as it is stored, and whether the file stops before its end mark.</summary>
    /// <exception cref="ImageException">Pixels are missing or damaged.</exception>
    public static (Image Stored, bool LacksEnd) Decode(FileBytes file, JpegFrame frame)
    {
        using var decoder = new JpegDecoder(file, frame);
        return decoder.Decode();
    }

    public void Dispose() => _whole?.Dispose();

    private (Image Stored, bool LacksEnd) Decode()
    {
        var segments = new JpegSegments(Bytes, JpegReader.SignatureSize);
        int scans = 0;
        while (segments.TryNext())
        {
            switch (segments.Marker)
            {
                case JpegSegments.End:
                    return (Finish(), false);
                case JpegSegments.Huffman:
                    _tables.Read(segments.Data);
                    break;
                case JpegSegments.Quantization:
                    _quantization.Read(segments.Data);
                    break;
                case JpegSegments.RestartInterval when segments.Data.Length >= 2:
                    _restartInterval = segments.Data[0] << 8 | segments.Data[1];
                    break;
                case JpegSegments.Scan:
                    if (++scans > MostScans)
                        throw new ImageException("the JPEG has too many scans to be a photo; save it anew.");
                    var scan = new JpegScan(_frame, segments.Data);
                    Begin(scan, segments.Behind);
                    // One scan with all components is the picture, and nobody reads on.
                    if (_frame.Coding != JpegCoding.Progressive && scan.Components.Length == _frame.Components.Length)
                        return (DecodeOnly(scan), !HasEnd());
                    (int across, int down) = _grid.Units(scan);
                    ReadUnits(scan, 0, down, across);
                    segments = new JpegSegments(Bytes, Behind());
                    break;
                default:
                    break;
            }
        }
        return _progress is { IsWhole: true } ? (Finish(), true) : throw JpegReader.CutOff();
    }

    private void Begin(JpegScan scan, int at)
    {
        bool only = _frame.Coding != JpegCoding.Progressive && scan.Components.Length == _frame.Components.Length;
        if (!only && _whole is null)
        {
            _whole = new JpegCoefficients(_frame, _grid, _grid.UnitsDown);
            _progress = new JpegProgress(_frame, _whole);
        }
        _bits = new JpegBits(_file.Start + at, _file.Start + _file.Length);
        (_toRestart, _restarts) = (_restartInterval, 0);
        foreach (JpegScanComponent part in scan.Components)
        {
            part.Take(_tables, scan, _frame.Coding);
            _quantization.Take(part.Index);
        }
        if (!only)
            _progress!.Note(scan);
    }

    /// <summary>Where the next segment is to be looked for.</summary>
    private int Behind() => (int)(_bits.Next - _file.Start) - (_bits.Marker == 0 ? 0 : 2);

    private bool HasEnd() => Bytes[Behind()..].IndexOf<byte>([byte.MaxValue, JpegSegments.End]) >= 0;

    /// <summary>Decodes some rows of units on another thread while those before become pixels.</summary>
    private Image DecodeOnly(JpegScan scan)
    {
        const int cached = 1 << 20;
        int perRow = scan.Components.Sum(part => _grid.BlocksAcross(part.Index) * _frame.Components[part.Index].Down);
        int step = Math.Clamp(cached / (perRow * 64 * sizeof(short)), 1, _grid.UnitsDown);
        using var one = new JpegCoefficients(_frame, _grid, step);
        using var two = new JpegCoefficients(_frame, _grid, step);
        using var pixels = new JpegPixels(_frame, _grid, _quantization);
        (JpegCoefficients next, JpegCoefficients current) = (one, two);
        Task reading = Read(next, 0);
        try
        {
            for (int top = 0; top < _grid.UnitsDown; top += step)
            {
                reading.GetAwaiter().GetResult();
                (next, current) = (current, next);
                reading = top + step < _grid.UnitsDown ? Read(next, top + step) : Task.CompletedTask;
                pixels.Transform(current, top, Math.Min(top + step, _grid.UnitsDown));
                pixels.Write(Math.Min(top + step, _grid.UnitsDown));
            }
            return pixels.Take();
        }
        finally
        {
            // The file's bytes may go once this returns.
            reading.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing).GetAwaiter().GetResult();
        }

        Task Read(JpegCoefficients to, int top) => Task.Run(() =>
        {
            to.MoveTo(top);
            _progress ??= new JpegProgress(_frame, to);
            _progress.Coefficients = to;
            ReadUnits(scan, top, Math.Min(top + step, _grid.UnitsDown), _grid.UnitsAcross);
        });
    }

    private void ReadUnits(JpegScan scan, int top, int bottom, int across)
    {
        JpegProgress progress = _progress!;
        for (int y = top; y < bottom; y++)
        {
            for (int x = 0; x < across; x++)
            {
                if (_restartInterval > 0 && _toRestart-- == 0)
                {
                    Restart(_restarts++ & 7);
                    _toRestart = _restartInterval - 1;
                    progress.Restart();
                }
                progress.ReadUnit(ref _bits, scan, y, x);
                if (_bits.IsShort)
                    throw _bits.IsAtFileEnd ? JpegReader.CutOff() : JpegReader.Unreadable("its data end early");
            }
        }
    }

    private void Restart(int number)
    {
        int behind = (int)(_bits.Next - _file.Start), marker = _bits.Marker;
        if (marker == 0)
        {
            behind = JpegSegments.EndOfMarker(Bytes, behind);
            if (behind < 0)
                throw JpegReader.CutOff();
            marker = Bytes[behind - 1];
        }
        if (marker != JpegSegments.FirstRestart + number)
            throw JpegReader.Unreadable("its data are damaged");
        _bits.Restart(_file.Start + behind);
    }

    /// <summary>Of a picture that came in several scans.</summary>
    private Image Finish()
    {
        if (_whole is not { } coefficients || !_quantization.IsWhole)
            throw JpegReader.CutOff();
        using var pixels = new JpegPixels(_frame, _grid, _quantization);
        const int step = 4;
        Parallel.For(0, (_grid.UnitsDown + step - 1) / step, i =>
            pixels.Transform(coefficients, i * step, Math.Min((i + 1) * step, _grid.UnitsDown)));
        pixels.Write(_grid.UnitsDown);
        return pixels.Take();
    }
}
