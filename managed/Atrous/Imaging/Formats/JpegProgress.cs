namespace Atrous.Imaging.Formats;

/// <summary>What the scans of a JPEG have brought so far, and how those of a progressive one are passed over.</summary>
internal sealed class JpegProgress
{
    private const int Coefficients = 64;

    private readonly JpegFrame _frame;
    private readonly JpegGrid _grid;

    /// <summary>The bit down to which each coefficient of each component is known, -1 for none of it.</summary>
    private readonly int[][] _known;

    /// <summary>
    /// Which coefficients of each block are not zero: a refining scan has a bit for each of those. Of progressive ones.
    /// </summary>
    private readonly ulong[][] _nonzero;

    /// <summary>Blocks still to come that bring nothing.</summary>
    private int _emptyRun;

    public JpegProgress(JpegFrame frame, JpegGrid grid)
    {
        (_frame, _grid) = (frame, grid);
        _known = [.. frame.Components.Select(_ => Enumerable.Repeat(-1, Coefficients).ToArray())];
        _nonzero = frame.Coding != JpegCoding.Progressive ? [] :
        [
            .. frame.Components.Select(component =>
                new ulong[grid.UnitsAcross * component.Across * grid.UnitsDown * component.Down]),
        ];
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

    public void Restart() => _emptyRun = 0;

    /// <summary>Passes over the blocks of a progressive scan's unit.</summary>
    public void ReadUnit(ref JpegBits bits, JpegScan scan, int y, int x)
    {
        if (scan.First == 0)
        {
            foreach (JpegScanComponent part in scan.Components)
            {
                for (int block = scan.BlocksOf(part); block > 0; block--)
                    bits.Number(scan.Refines ? 1 : bits.Symbol(part.Dc!));
            }
            return;
        }
        JpegScanComponent only = scan.Components[0];
        int row = _grid.UnitsAcross * _frame.Components[only.Index].Across;
        ref ulong nonzero = ref _nonzero[only.Index][y * row + x];
        if (scan.Refines)
            Refine(ref bits, only.Ac!, scan, ref nonzero);
        else
            ReadFirst(ref bits, only.Ac!, scan, ref nonzero);
    }

    private static ulong Bit(int coefficient) => coefficient < Coefficients ? 1UL << coefficient : 0;

    private void ReadFirst(ref JpegBits bits, JpegHuffman code, JpegScan scan, ref ulong nonzero)
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
            bits.Number(size);
            if (size != 0)
                nonzero |= Bit(k);
        }
    }

    private void Refine(ref JpegBits bits, JpegHuffman code, JpegScan scan, ref ulong nonzero)
    {
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
            bits.Number(size);
            for (; k <= scan.Last; k++)
            {
                if ((nonzero & Bit(k)) != 0)
                    bits.Number(1);
                else if (--run < 0)
                    break;
            }
            if (size != 0)
                nonzero |= Bit(k);
        }
        if (_emptyRun == 0)
            return;
        for (; k <= scan.Last; k++)
        {
            if ((nonzero & Bit(k)) != 0)
                bits.Number(1);
        }
        _emptyRun--;
    }
}
