namespace Atrous.Postprocessing;

/// <summary>
/// What labels of similar pixels say to each other: the label compatibility μ of Krähenbühl and Koltun 2011, equation
/// 2, in the three forms that pydensecrf takes for its argument <c>compat</c>. A float converts to <see cref="Potts"/>.
/// </summary>
public sealed class CrfCompatibility
{
    private readonly int? _labels;

    private CrfCompatibility(int kind, int? labels, float[] values) => (Kind, _labels, Values) = (kind, labels, values);

    internal int Kind { get; }

    internal float[] Values { get; }

    /// <summary>Equal labels attract by <paramref name="weight"/> times the kernel.</summary>
    /// <param name="weight">The factor on the kernel; above 0 it attracts.</param>
    public static CrfCompatibility Potts(float weight) => new(0, null, [weight]);

    /// <summary>
    /// A value per label. The sign is pydensecrf's, the opposite of <see cref="Potts"/>: negative values attract.
    /// </summary>
    /// <param name="values">One value for each label.</param>
    public static CrfCompatibility Diagonal(params ReadOnlySpan<float> values) =>
        new(1, values.Length, values.ToArray());

    /// <summary>A value per pair of labels, made symmetric as (m + mᵀ) / 2; negative values attract.</summary>
    /// <param name="values">A square matrix of labels × labels.</param>
    /// <exception cref="ArgumentException">The matrix is not square.</exception>
    public static CrfCompatibility Matrix(float[,] values)
    {
        ArgumentNullException.ThrowIfNull(values);
        int labels = values.GetLength(0);
        if (values.GetLength(1) != labels)
            throw new ArgumentException(
                $"The matrix is {labels} x {values.GetLength(1)}; give a square one.", nameof(values));
        return new(2, labels, [.. values.Cast<float>()]);
    }

    public static implicit operator CrfCompatibility(float weight) => Potts(weight);

    /// <exception cref="ArgumentException">
    /// It is made for another number of labels, or holds a value that is no number.
    /// </exception>
    internal void Check(int labels)
    {
        if (_labels is { } own && own != labels)
            throw new ArgumentException($"The compatibility is for {own} labels, the CRF has {labels}.");
        if (!Array.TrueForAll(Values, float.IsFinite))
            throw new ArgumentException("The compatibility has a value that is not a finite number.");
    }
}
