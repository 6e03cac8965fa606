namespace Atrous.Imaging.Formats;

/// <summary>Reads the blocks of a JPEG's scans, and knows what scans have brought so far.</summary>
internal sealed unsafe class JpegProgress
{
    private const int PerBlock = 64;

    private readonly JpegFrame _frame;

    /// <summary>The bit down to which each coefficient of each component is known, -1 for none of it.</summary>
    private readonly int[][] _known;

    /// <summary>Get what is read.</summary>
    public JpegCoefficients Coefficients { get; set; }

    /// <summary>The first coefficient of each component's block before.</summary>
    private readonly int[] _before = new int[4];

    /// <summary>Blocks still to come that bring nothing.</summary>
    private int _emptyRun;

    /// <param name="frame">What the file says of its picture.</param>
    /// <param name="coefficients">Where what is read goes.</param>
    public JpegProgress(JpegFrame frame, JpegCoefficients coefficients)
    {
        (_frame, Coefficients) = (frame, coefficients);
        _known = new int[frame.Components.Length][];
        for (int c = 0; c < _known.Length; c++)
        {
            _known[c] = new int[PerBlock];
            for (int k = 0; k < PerBlock; k++)
                _known[c][k] = -1;
        }
    }

    /// <summary>All bits of all coefficients came.</summary>
    public bool IsWhole => _known.All(bits => bits.All(bit => bit == 0));

    /// <summary>Notes what a scan brings, before it is read.</summary>
    public void Note(JpegScan scan)
    {
        bool progressive = _frame.Coding == JpegCoding.Progressive;
        foreach (JpegScanComponent part in scan.Components)
        {
            Span<int> known = _known[part.Index];
            if (progressive)
                known[scan.First..(scan.Last + 1)].Fill(scan.Low);
            else
                known.Clear();
        }
        Restart();
    }

    public void Restart()
    {
        _emptyRun = 0;
        Array.Clear(_before);
    }

    /// <summary>Reads the blocks of a scan's unit.</summary>
    public void ReadUnit(ref JpegBits bits, JpegScan scan, int y, int x)
    {
        foreach (JpegScanComponent part in scan.Components)
        {
            JpegComponent component = _frame.Components[part.Index];
            (int down, int across) = scan.Components.Length == 1 ? (1, 1) : (component.Down, component.Across);
            for (int row = 0; row < down; row++)
            {
                for (int column = 0; column < across; column++)
                {
                    short* block = Coefficients.Block(part.Index, y * down + row, x * across + column);
                    ReadBlock(ref bits, scan, part, block);
                }
            }
        }
    }

    private void ReadBlock(ref JpegBits bits, JpegScan scan, JpegScanComponent part, short* block)
    {
        if (_frame.Coding != JpegCoding.Progressive)
        {
            block[0] = (short)(_before[part.Index] += bits.Coefficient(bits.Symbol(part.Dc!)));
            bits.ReadBlock(part.Ac!, block);
        }
        else if (scan.First > 0 && scan.Refines)
        {
            Refine(ref bits, part.Ac!, scan, block);
        }
        else if (scan.First > 0)
        {
            ReadFirst(ref bits, part.Ac!, scan, block);
        }
        else if (scan.Refines)
        {
            block[0] |= (short)(bits.Number(1) << scan.Low);
        }
        else
        {
            block[0] = (short)((_before[part.Index] += bits.Coefficient(bits.Symbol(part.Dc!))) << scan.Low);
        }
    }

    private void ReadFirst(ref JpegBits bits, JpegHuffman code, JpegScan scan, short* block)
    {
        if (_emptyRun > 0)
        {
            _emptyRun--;
            return;
        }
        for (int k = scan.First; k <= scan.Last; k++)
        {
            int symbol = bits.Symbol(code), run = symbol >> 4, size = symbol & 15;
            if (size == 0 && run != 15)
            {
                _emptyRun = (1 << run) + bits.Number(run) - 1;
                break;
            }
            k += run;
            if (size != 0)
                block[JpegZigzag.Order[k]] = (short)(bits.Coefficient(size) << scan.Low);
        }
    }

    private void Refine(ref JpegBits bits, JpegHuffman code, JpegScan scan, short* block)
    {
        short plus = (short)(1 << scan.Low), minus = (short)-plus;
        int k = scan.First;
        for (; _emptyRun == 0 && k <= scan.Last; k++)
        {
            int symbol = bits.Symbol(code), run = symbol >> 4, size = symbol & 15;
            if (size > 1)
                throw JpegReader.Unreadable("its data are damaged");
            if (size == 0 && run != 15)
            {
                _emptyRun = (1 << run) + bits.Number(run);
                break;
            }
            short value = size == 0 ? (short)0 : bits.Number(1) != 0 ? plus : minus;
            for (; k <= scan.Last; k++)
            {
                short* coefficient = block + JpegZigzag.Order[k];
                if (*coefficient != 0)
                    Refine(ref bits, coefficient, plus);
                else if (--run < 0)
                    break;
            }
            if (value != 0)
                block[JpegZigzag.Order[k]] = value;
        }
        if (_emptyRun == 0)
            return;
        for (; k <= scan.Last; k++)
        {
            short* coefficient = block + JpegZigzag.Order[k];
            if (*coefficient != 0)
                Refine(ref bits, coefficient, plus);
        }
        _emptyRun--;
    }

    /// <summary>One more bit of a coefficient that is not zero; a bit that it has already is not added again.</summary>
    private static void Refine(ref JpegBits bits, short* coefficient, short bit)
    {
        if (bits.Number(1) != 0 && (*coefficient & bit) == 0)
            *coefficient += *coefficient >= 0 ? bit : (short)-bit;
    }
}
