using Atrous.Backends.Cpu;
using Atrous.Exporting;
using Atrous.Graph;
using Atrous.Imaging;
using Atrous.Models;
using Atrous.Preprocessing;

namespace Atrous.Quantizing;

/// <summary>
/// Whether a network's channels are equalised, and how far: what brings its scores nearest to float32's.
/// </summary>
/// <param name="trial">The network with its probes.</param>
/// <param name="preprocessor">Makes the network's input of a picture.</param>
/// <param name="probes">The trial's pictures, on which the ranges of each network are measured alike.</param>
/// <param name="threads">Threads of a run.</param>
/// <param name="cancellationToken">Is looked at between two layers.</param>
internal sealed class EqualizationChoice(
    Trial trial, Preprocessor preprocessor, IReadOnlyList<string> probes, int threads,
    CancellationToken cancellationToken)
{
    /// <summary>A share of the error by which an equalised network must be better; less is chance.</summary>
    private const double Worthwhile = 0.01;

    /// <summary>Chooses by trials.</summary>
    /// <param name="source">The model of folded norms.</param>
    /// <param name="offers">What can be tried.</param>
    /// <param name="tried">Is told after each network how many there were, and of how many.</param>
    /// <returns>The best of the offers; null where the network as it is is as good.</returns>
    public ChannelEqualization? Find(
        ModelSource source, IReadOnlyList<ChannelEqualization> offers, Action<int, int> tried)
    {
        if (offers.Count == 0)
            return null;
        double least = Error(source.Model) * (1 - Worthwhile);
        ChannelEqualization? best = null;
        for (int i = 0; i < offers.Count; i++)
        {
            tried(i + 1, offers.Count + 1);
            double error = Error(EqualizedWeights.In(source, offers[i]));
            if (error < least)
                (best, least) = (offers[i], error);
        }
        tried(offers.Count + 1, offers.Count + 1);
        return best;
    }

    /// <summary>The error of a network's scores in 8 bits, by the one rule for ranges that is best.</summary>
    private double Error(Model model)
    {
        var network = new Quantizable(model);
        // A backend of its own, so that packed weights do not stay.
        using var exact = new CpuBackend(threads);
        var calibration = new Calibration(model, exact, preprocessor);
        Each(photo => calibration.Measure(photo, cancellationToken));
        IReadOnlyList<IReadOnlyList<string>> groups = network.Group(calibration);
        Each(photo => calibration.Count(photo, cancellationToken));
        RangeChoice choice = network.Choice(groups, calibration);
        QuantizationTable table = network.Table(calibration);
        return choice.FindOne(
            () => trial.ScoreError(model, table with { Values = choice.Values() }, cancellationToken), _ => { }).Error;
    }

    private void Each(Action<Image> look)
    {
        foreach (string probe in probes)
        {
            using Image photo = Image.Load(probe);
            look(photo);
        }
    }
}
