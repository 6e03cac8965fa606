namespace Atrous.Imaging.Formats;

/// <summary>
/// Looks whether all pixels of a JPEG are there and sound. Skia does not tell: it paints grey where data are missing or
/// damaged, and a mask of grey is worse than an error. Nothing is decoded but where each coefficient's bits end.
/// Oddities that lose no pixel (bytes between segments, unusual markers) stay allowed.
/// </summary>
internal sealed unsafe class JpegScans
{
    /// <summary>
    /// A hostile progressive JPEG can ask for millions of passes over the picture; real ones have some ten.
    /// </summary>
    private const int MostScans = 100;

    private readonly FileBytes _file;
    private readonly JpegFrame _frame;
    private readonly JpegTables _tables = new();
    private readonly JpegGrid _grid;
    private readonly JpegProgress _progress;
    private int _restartInterval;

    private JpegScans(FileBytes file, JpegFrame frame)
    {
        (_file, _frame, _grid) = (file, frame, new JpegGrid(frame));
        _progress = new JpegProgress(frame, _grid);
    }

    private ReadOnlySpan<byte> Bytes => _file.Slice(0, (int)_file.Length);

    /// <summary>Whether the file stops before its end mark, behind the last pixel.</summary>
    /// <exception cref="ImageException">Pixels are missing or damaged.</exception>
    public static bool LackEnd(FileBytes file, JpegFrame frame) => new JpegScans(file, frame).Check();

    private bool Check()
    {
        var segments = new JpegSegments(Bytes, JpegReader.SignatureSize);
        int scans = 0;
        while (segments.TryNext())
        {
            switch (segments.Marker)
            {
                case JpegSegments.End:
                    return false;
                case JpegSegments.Huffman:
                    _tables.Read(segments.Data);
                    break;
                case JpegSegments.RestartInterval when segments.Data.Length >= 2:
                    _restartInterval = segments.Data[0] << 8 | segments.Data[1];
                    break;
                case JpegSegments.Scan:
                    if (++scans > MostScans)
                        throw new ImageException("the JPEG has too many scans to be a photo; save it anew.");
                    var scan = new JpegScan(_frame, segments.Data);
                    int end = Read(scan, segments.Behind);
                    // One scan with all components is the picture, and nobody reads on.
                    if (_frame.Coding != JpegCoding.Progressive && scan.Components.Length == _frame.Components.Length)
                        return Bytes[end..].IndexOf<byte>([byte.MaxValue, JpegSegments.End]) < 0;
                    segments = new JpegSegments(Bytes, end);
                    break;
                default:
                    break;
            }
        }
        return _progress.IsWhole ? true : throw JpegReader.CutOff();
    }

    /// <summary>Passes over a scan's data; returns where the next segment is to be looked for.</summary>
    private int Read(JpegScan scan, int at)
    {
        _progress.Note(scan);
        if (_frame.Coding == JpegCoding.Arithmetic)
            return BehindArithmetic(at);
        var bits = new JpegBits(_file.Start + at, _file.Start + _file.Length);
        foreach (JpegScanComponent part in scan.Components)
            part.Take(_tables, scan, _frame.Coding);
        (int across, int down) = _grid.Units(scan);
        int toRestart = _restartInterval, restarts = 0;
        for (int y = 0; y < down; y++)
        {
            for (int x = 0; x < across; x++)
            {
                if (_restartInterval > 0 && toRestart-- == 0)
                {
                    Restart(ref bits, restarts++ & 7);
                    toRestart = _restartInterval - 1;
                    _progress.Restart();
                }
                ReadUnit(ref bits, scan, y, x);
                if (bits.IsShort)
                    throw bits.IsAtFileEnd ? JpegReader.CutOff() : JpegReader.Unreadable("its data end early");
            }
        }
        int next = (int)(bits.Next - _file.Start);
        return bits.Marker == 0 ? next : next - 2;
    }

    private void ReadUnit(ref JpegBits bits, JpegScan scan, int y, int x)
    {
        if (_frame.Coding == JpegCoding.Progressive)
        {
            _progress.ReadUnit(ref bits, scan, y, x);
            return;
        }
        foreach (JpegScanComponent part in scan.Components)
        {
            for (int block = scan.BlocksOf(part); block > 0; block--)
                bits.SkipBlock(part.Dc!, part.Ac!);
        }
    }

    private void Restart(ref JpegBits bits, int number)
    {
        int behind = (int)(bits.Next - _file.Start), marker = bits.Marker;
        if (marker == 0)
        {
            behind = JpegSegments.EndOfMarker(Bytes, behind);
            if (behind < 0)
                throw JpegReader.CutOff();
            marker = Bytes[behind - 1];
        }
        if (marker != JpegSegments.FirstRestart + number)
            throw JpegReader.Unreadable("its data are damaged");
        bits.Restart(_file.Start + behind);
    }

    /// <summary>
    /// Arithmetic coding goes on with zeros where bytes are missing, so that only the mark behind shows that none is.
    /// </summary>
    private int BehindArithmetic(int at)
    {
        while (true)
        {
            at = JpegSegments.EndOfMarker(Bytes, at);
            if (at < 0)
                throw JpegReader.CutOff();
            if (Bytes[at - 1] is not (>= JpegSegments.FirstRestart and < JpegSegments.FirstRestart + 8))
                return at - 2;
        }
    }
}
