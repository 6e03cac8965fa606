using Atrous.Imaging;
using Atrous.Postprocessing;

namespace Atrous.Evaluation;

/// <summary>
/// Label maps for a network of one class: 0 is the background, and 1 the foreground. Most tools store it as 255, which
/// in other data sets is what must not be scored; which of the two a map means is taken from what else it holds, and
/// said to be unclear where that does not tell.
/// </summary>
internal sealed class ForegroundTruth
{
    private const int Bright = 255;
    private bool _dark, _bright;

    /// <summary>Whether 255 was the foreground of a map.</summary>
    public bool IsBright => _bright;

    /// <summary>The map with 0 for background and 1 for foreground.</summary>
    /// <exception cref="ImageException">
    /// 255 stands beside 1, in this map or in those before it, so that it may mean either.
    /// </exception>
    public LabelImage Read(LabelImage map)
    {
        bool dark = _dark || map.Labels.Contains((ushort)1), bright = _bright || map.Labels.Contains((ushort)Bright);
        // Of a map that is refused nothing is kept: others are read after it.
        if (dark && bright)
        {
            throw new ImageException(
                "The label maps hold 1 and 255, so that 255 may be the foreground or what is not scored; name the " +
                "label to leave out.")
            {
                Remedy = Remedy.IgnoreLabel,
            };
        }
        (_dark, _bright) = (dark, bright);
        if (!bright)
            return map;
        var labels = new ushort[map.Labels.Length];
        for (int i = 0; i < labels.Length; i++)
            labels[i] = map.Labels[i] == Bright ? (ushort)1 : map.Labels[i];
        return new LabelImage(labels, map.Height, map.Width) { Warning = map.Warning };
    }
}
