namespace Atrous.Imaging.Formats;

/// <summary>A component as a scan has it.</summary>
internal sealed class JpegScanComponent(int index, byte tables)
{
    /// <summary>Its number in the frame.</summary>
    public int Index => index;

    public JpegHuffman? Dc { get; private set; }

    public JpegHuffman? Ac { get; private set; }

    /// <summary>Takes the codes that are in force now.</summary>
    public void Take(JpegTables from, JpegScan scan, JpegCoding coding)
    {
        bool progressive = coding == JpegCoding.Progressive;
        Dc = progressive && (scan.First > 0 || scan.Refines) ? null : from.Get(tables >> 4, ac: false, !progressive);
        Ac = progressive && scan.First == 0 ? null : from.Get(tables & 15, ac: true, !progressive);
    }
}

/// <summary>A scan's header.</summary>
internal sealed class JpegScan
{
    private readonly JpegFrame _frame;

    public JpegScan(JpegFrame frame, ReadOnlySpan<byte> header)
    {
        _frame = frame;
        int count = header.IsEmpty ? 0 : header[0];
        if (count is 0 or > 4 || header.Length < 2 * count + 4)
            throw Senseless();
        Components = new JpegScanComponent[count];
        int blocks = 0;
        for (int i = 0; i < count; i++)
        {
            byte id = header[1 + 2 * i];
            int index = Array.FindIndex(frame.Components, component => component.Id == id);
            if (index < 0 || Components.Take(i).Any(earlier => earlier.Index == index))
                throw Senseless();
            Components[i] = new JpegScanComponent(index, header[2 + 2 * i]);
            blocks += BlocksOf(Components[i]);
        }
        ReadOnlySpan<byte> range = header[(1 + 2 * count)..];
        (First, Last, Low, Refines) = (range[0], range[1], range[2] & 15, range[2] >> 4 != 0);
        const int mostBlocks = 10, lastCoefficient = 63;
        if (count > 1 && blocks > mostBlocks)
            throw Senseless();
        if (frame.Coding == JpegCoding.Progressive
            && (Last > lastCoefficient || First > Last || (First == 0 ? Last > 0 : count > 1)))
        {
            throw Senseless();
        }
    }

    public JpegScanComponent[] Components { get; }

    /// <summary>The coefficients that a progressive scan brings, in zigzag order.</summary>
    public int First { get; }

    /// <inheritdoc cref="First"/>
    public int Last { get; }

    /// <summary>The bit down to which it brings them.</summary>
    public int Low { get; }

    /// <summary>It brings one more bit of what earlier scans brought.</summary>
    public bool Refines { get; }

    /// <summary>Blocks of a component in one unit: one where the component is alone.</summary>
    public int BlocksOf(JpegScanComponent part)
    {
        JpegComponent component = _frame.Components[part.Index];
        return Components.Length == 1 ? 1 : component.Across * component.Down;
    }

    private static ImageException Senseless() => JpegReader.Unreadable("a scan's header makes no sense");
}

/// <summary>The Huffman codes in force.</summary>
internal sealed class JpegTables
{
    private const int Count = 4, AcFlag = 0x10;

    // Of DC, then of AC. A code is made when a scan uses it; files may hold senseless ones that none does.
    private readonly byte[]?[] _bytes = new byte[]?[2 * Count];
    private readonly JpegHuffman?[] _made = new JpegHuffman?[2 * Count];

    /// <summary>Reads a segment of tables.</summary>
    public void Read(ReadOnlySpan<byte> data)
    {
        while (!data.IsEmpty)
        {
            int number = (data[0] & ~AcFlag) + ((data[0] & AcFlag) != 0 ? Count : 0);
            int size = JpegHuffman.SizeOf(data[1..]);
            if ((data[0] & ~AcFlag) >= Count || size < 0)
                throw JpegReader.Unreadable("a Huffman table makes no sense");
            (_bytes[number], _made[number]) = (data.Slice(1, size).ToArray(), null);
            data = data[(1 + size)..];
        }
    }

    /// <param name="number">The number of the table.</param>
    /// <param name="ac">Whether it is one of AC coefficients.</param>
    /// <param name="mayLack">Whether the standard's own stand for tables 0 and 1 that the file lacks.</param>
    public JpegHuffman Get(int number, bool ac, bool mayLack)
    {
        int at = number + (ac ? Count : 0);
        bool standard = mayLack && number < 2;
        if (number >= Count || (_bytes[at] is null && !standard))
            throw JpegReader.Unreadable("a Huffman table is missing");
        return _made[at] ??= _bytes[at] is { } bytes ? new JpegHuffman(bytes) : JpegHuffman.OfStandard(number, ac);
    }
}
