using System.Globalization;

namespace Atrous.Tensors;

/// <summary>
/// A weight tensor that stays in its file until a backend packs it: shape and name are known, the values are read on
/// demand. Two graphs that use the same weight hold the same object, so a backend can share what it packed.
/// </summary>
public sealed class Weight
{
    private readonly IWeightSource _source;
    private readonly WeightInfo _info;

    internal Weight(IWeightSource source, WeightInfo info) => (_source, _info) = (source, info);

    /// <summary>The name in the file.</summary>
    public string Name => _info.Name;

    /// <summary>OIHW for convolutions: [out, in / groups, height, width].</summary>
    public IReadOnlyList<int> Shape => _info.Shape;

    /// <summary>Number of elements.</summary>
    public long Elements => _info.Elements;

    /// <summary>Writes the values, row-major in <see cref="Shape"/>'s order.</summary>
    /// <param name="destination">The memory for as many numbers as the weight has elements.</param>
    /// <exception cref="ModelException">Some are no finite numbers.</exception>
    public void Read(Span<float> destination)
    {
        _source.Read(_info.Name, destination);
        if (FiniteNumbers.FirstOther(destination) is >= 0 and var at)
        {
            throw new ModelException(string.Create(
                CultureInfo.InvariantCulture,
                $"{_source.Title}: the tensor '{_info.Name}' holds {destination[at]} among its values, so that no "
                + $"mask means anything; take a checkpoint from before the training diverged, or one of greater "
                + $"precision."));
        }
    }

    /// <summary>The values in a new array.</summary>
    public float[] ToArray()
    {
        var values = GC.AllocateUninitializedArray<float>(checked((int)Elements));
        Read(values);
        return values;
    }

    public override string ToString() => $"{Name} [{string.Join(",", Shape)}]";
}
