using Atrous.Shapes;

namespace Atrous.Server.V1;

/// <summary>
/// What the outlines or run-lengths of a mask take in memory: those of noise take far more than the mask itself.
/// </summary>
internal static class ReportSize
{
    /// <summary>A run in a list that grows, and as text.</summary>
    private const int BytesOfRun = 24;

    /// <summary>Bytes beside the mask, roughly; 0 for a report that has no more than a line per class.</summary>
    public static long Of(SegmentFormat format, Segmentation mask, CancellationToken cancellationToken) =>
        format switch
        {
            SegmentFormat.Polygons or SegmentFormat.File => mask.Layers().Sum(
                layer => RegionSize.Of(layer.Labels, layer.Height, layer.Width, cancellationToken)),
            SegmentFormat.Rle => mask.Layers().Sum(layer => Runs(layer, cancellationToken)) * BytesOfRun,
            _ => 0,
        };

    private static long Runs(Segmentation mask, CancellationToken cancellationToken)
    {
        long runs = mask.Width;
        ReadOnlySpan<ushort> labels = mask.Labels;
        for (int at = mask.Width; at < labels.Length; at++)
        {
            if (at % mask.Width == 0)
                cancellationToken.ThrowIfCancellationRequested();
            if (labels[at] != labels[at - mask.Width])
                runs++;
        }
        return runs;
    }
}
