using Atrous.Models;

namespace Atrous.Quantizing;

/// <summary>Whether the masks of a network in 8 bits agree enough with those of float32.</summary>
/// <param name="enough">The share of labels, in the mean of the pictures checked on, that is enough.</param>
/// <param name="checkedOn">Paths of pictures that the ranges were not measured on.</param>
/// <param name="measured">Paths of those that they were measured on.</param>
/// <param name="agreementOf">The share of a picture's labels that a network in 8 bits has from float32.</param>
internal sealed class MaskComparison(
    double enough, string[] checkedOn, string[] measured, Func<Model, string, double> agreementOf)
{
    /// <summary>
    /// No picture may lose more labels than this many times what the mean may. A mean alone hides the one picture whose
    /// mask is another.
    /// </summary>
    private const double MostOfOne = 1.5;

    // Most choices that fail do so on the same picture, which is looked at first then.
    private readonly List<string> _worstFirst = [.. checkedOn, .. measured];

    /// <summary>The agreement of each picture that the ranges were not measured on.</summary>
    public double[] Agreements(Model model) =>
        [.. checkedOn.Select(picture => agreementOf(model, picture))];

    /// <summary>
    /// Tells whether enough labels are float32's: in the mean of those pictures, and of every picture.
    /// </summary>
    public bool IsEnough(Model model)
    {
        var shares = new Dictionary<string, double>();
        if (checkedOn.Average(Share) < enough)
            return false;
        int worst = _worstFirst.FindIndex(picture => 1 - Share(picture) > MostOfOne * (1 - enough));
        if (worst < 0)
            return true;
        string first = _worstFirst[worst];
        _worstFirst.RemoveAt(worst);
        _worstFirst.Insert(0, first);
        return false;

        double Share(string picture)
        {
            if (!shares.TryGetValue(picture, out double share))
                shares[picture] = share = agreementOf(model, picture);
            return share;
        }
    }
}
