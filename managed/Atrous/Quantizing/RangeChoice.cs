using Atrous.Graph;

namespace Atrous.Quantizing;

/// <summary>
/// Which rule gives each range: first the one rule whose scores are nearest to float32's, then, value by value, another
/// where the scores come nearer still.
/// </summary>
internal sealed class RangeChoice
{
    /// <summary>A share of the error by which another rule must be better; less is chance.</summary>
    private const double Worthwhile = 0.005;

    /// <summary>A difference between two ranges that is worth a trial.</summary>
    private const double Different = 0.02;

    private readonly IReadOnlyList<IReadOnlyList<string>> _groups;
    private readonly Quantization[][] _offers;
    private readonly int[] _chosen;
    private readonly IReadOnlySet<string> _tried;

    /// <param name="groups">The names of the values that share a range.</param>
    /// <param name="histograms">By the values' names.</param>
    /// <param name="tried">
    /// The names of the values that a trial rounds; the others are rounded by other runtimes alone, and keep the rule
    /// that is best for all.
    /// </param>
    public RangeChoice(
        IReadOnlyList<IReadOnlyList<string>> groups, IReadOnlyDictionary<string, Histogram> histograms,
        IReadOnlySet<string> tried)
    {
        (_groups, _tried) = (groups, tried);
        _chosen = new int[groups.Count];
        _offers = new Quantization[groups.Count][];
        Parallel.For(0, groups.Count, group =>
        {
            Histogram histogram = histograms[groups[group][0]];
            _offers[group] = [.. RangeRules.All.Select(rule => rule.Choose(histogram))];
        });
    }

    /// <summary>How many ranges are from which rule.</summary>
    public IReadOnlyDictionary<string, int> Rules =>
        _chosen.GroupBy(rule => RangeRules.All[rule].Name).ToDictionary(rule => rule.Key, rule => rule.Count());

    /// <summary>The trials that <see cref="Find"/> makes at most.</summary>
    public int MostTrials => RangeRules.All.Count + _groups.Count(IsTried);

    /// <summary>The ranges that are chosen, by the values' names.</summary>
    public Dictionary<string, Quantization> Values()
    {
        var values = new Dictionary<string, Quantization>(StringComparer.Ordinal);
        for (int group = 0; group < _groups.Count; group++)
        {
            foreach (string name in _groups[group])
                values.Add(name, _offers[group][_chosen[group]]);
        }
        return values;
    }

    /// <summary>Chooses by trials.</summary>
    /// <param name="error">The error of the scores with the ranges that are chosen at that time.</param>
    /// <param name="tried">Is told after each trial how many there were.</param>
    /// <returns>The error of what is chosen.</returns>
    public double Find(Func<double> error, Action<int> tried)
    {
        (int best, int second, double least) = FindOne(error, tried);
        int trials = RangeRules.All.Count;
        for (int group = 0; group < _groups.Count; group++)
        {
            if (!IsTried(_groups[group]))
                continue;
            if (Other(group, second) is { } rule)
            {
                _chosen[group] = rule;
                double of = error();
                if (of < least * (1 - Worthwhile))
                    least = of;
                else
                    _chosen[group] = best;
            }
            tried(++trials);
        }
        return least;
    }

    /// <summary>Chooses one rule for all, by trials as <see cref="Find"/> does.</summary>
    /// <returns>It, the second best, and its error.</returns>
    public (int Best, int Second, double Error) FindOne(Func<double> error, Action<int> tried)
    {
        var errors = new double[RangeRules.All.Count];
        for (int rule = 0; rule < errors.Length; rule++)
        {
            Array.Fill(_chosen, rule);
            errors[rule] = error();
            tried(rule + 1);
        }
        int[] order = [.. Enumerable.Range(0, errors.Length).OrderBy(rule => errors[rule])];
        Array.Fill(_chosen, order[0]);
        return (order[0], order[1], errors[order[0]]);
    }

    private bool IsTried(IReadOnlyList<string> group) => group.Any(_tried.Contains);

    /// <summary>
    /// The rule that is tried instead of the chosen one: the second best of all, or the first whose range differs; null
    /// where all agree.
    /// </summary>
    private int? Other(int group, int second)
    {
        Quantization[] offers = _offers[group];
        return Enumerable.Range(0, offers.Length).Prepend(second).Cast<int?>()
            .FirstOrDefault(rule => Differ(offers[rule!.Value], offers[_chosen[group]]));
    }

    private static bool Differ(Quantization a, Quantization b) =>
        Math.Abs(a.Step - b.Step) > Different * Math.Max(a.Step, b.Step);
}
