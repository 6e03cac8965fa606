namespace Atrous.Quantizing;

/// <summary>
/// Which layers stay float32 so that masks agree enough: those that take least time among the choices that were tried.
/// </summary>
/// <param name="work">What each layer's work is, in any unit.</param>
/// <param name="isEnough">Tells whether the masks agree enough with some layers, by their indices, in float32.</param>
internal sealed class KeptLayers(IReadOnlyList<long> work, Func<IReadOnlyList<int>, bool> isEnough)
{
    /// <summary>Of the layers that were found, so many with the most work are tried in 8 bits again.</summary>
    private const int TriedAgain = 8;

    /// <summary>Searches along some orders, and takes what is the least work.</summary>
    /// <param name="costs">
    /// What the 8 bits of each layer cost, measured in some ways. Each gives two orders: by the cost alone, and by the
    /// cost for the work, since a dear layer that is quick in float32 is better kept than a slow one.
    /// </param>
    public IReadOnlyList<int> Find(IEnumerable<double[]> costs)
    {
        IReadOnlyList<int>? best = null;
        foreach (double[] cost in costs)
        {
            foreach (double[] by in new[] { cost, [.. cost.Select((of, i) => of / work[i])] })
            {
                IReadOnlyList<int> found = First([.. Enumerable.Range(0, by.Length).OrderByDescending(i => by[i])]);
                if (best is null || Work(found) < Work(best))
                    best = found;
            }
        }
        return best is null ? [] : Fewer(best);
    }

    private long Work(IEnumerable<int> layers) => layers.Sum(layer => work[layer]);

    /// <summary>As few as are enough of the first of an order.</summary>
    private int[] First(int[] order)
    {
        // Twice as many each time, then half-way back as long as that is enough.
        int tooFew = 0, enough = Math.Min(1, order.Length);
        while (enough < order.Length && !isEnough(order[..enough]))
            (tooFew, enough) = (enough, Math.Min(order.Length, 2 * enough));
        while (enough - tooFew > 1)
        {
            int middle = (tooFew + enough) / 2;
            if (isEnough(order[..middle]))
                enough = middle;
            else
                tooFew = middle;
        }
        return order[..enough];
    }

    /// <summary>Leaves out what need not be kept, of the layers with the most work.</summary>
    private IReadOnlyList<int> Fewer(IReadOnlyList<int> kept)
    {
        foreach (int layer in kept.OrderByDescending(layer => work[layer]).Take(TriedAgain).ToArray())
        {
            int[] without = [.. kept.Where(other => other != layer)];
            if (isEnough(without))
                kept = without;
        }
        return kept;
    }
}
