using System.Text;
using Atrous.Tensors;

namespace Atrous.Tests.Support;

/// <summary>
/// The pseudo-random weights that the goldens were made with: every value follows from the tensor's name and its index,
/// so both sides can make them and none need be stored. The formulas are those of goldens/README.md, section 1, bit for
/// bit.
/// </summary>
internal sealed unsafe class GeneratedWeights : IWeightSource
{
    private readonly Dictionary<string, WeightInfo> _weights = [];
    private readonly Dictionary<string, string> _canonical = [];

    /// <summary>Weights by name and shape; an alias has the values of the name that it stands for.</summary>
    public GeneratedWeights(
        IEnumerable<(string Name, int[] Shape)> keys, IEnumerable<(string Alias, string Canonical)>? aliases = null)
    {
        foreach ((string name, int[] shape) in keys)
            _weights.Add(name, new WeightInfo(name, IsCounter(name) ? DType.Int64 : DType.Float32, shape));
        foreach ((string alias, string canonical) in aliases ?? [])
            _canonical.Add(alias, canonical);
    }

    public IReadOnlyDictionary<string, WeightInfo> Weights => _weights;

    public void Read(string name, Span<float> destination)
    {
        WeightInfo info = _weights[name];
        if (destination.Length != info.Elements)
            throw new ArgumentException(
                $"{name} has {info.Elements} elements, not {destination.Length}.", nameof(destination));
        if (IsCounter(name))
        {
            destination.Clear();
            return;
        }
        Fill(_canonical.GetValueOrDefault(name, name), destination, Range(name, info.Shape));
    }

    /// <summary>The goldens' input: (2u - 1) * scale in the order of [1, C, H, W], here laid out NHWC.</summary>
    public static Tensor Input(Shape shape, float scale)
    {
        var planar = new float[shape.Elements];
        Fill("input", planar, (scale, 0, true));
        var tensor = new Tensor(shape);
        Layout.ToNhwc(planar, shape).CopyTo(new Span<float>(tensor.Pointer, planar.Length));
        return tensor;
    }

    /// <summary>FNV-1a of the name's UTF-8 bytes, 64 bits.</summary>
    public static ulong Hash(string name)
    {
        ulong hash = 0xcbf29ce484222325;
        foreach (byte b in Encoding.UTF8.GetBytes(name))
            hash = unchecked((hash ^ b) * 0x100000001b3);
        return hash;
    }

    /// <summary>The uniform number in [0, 1) at an index, a multiple of 2^-24.</summary>
    public static double Uniform(ulong hash, long index)
    {
        unchecked
        {
            ulong z = hash + (ulong)(index + 1) * 0x9E3779B97F4A7C15UL;
            z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9UL;
            z = (z ^ (z >> 27)) * 0x94D049BB133111EBUL;
            z ^= z >> 31;
            return (z >> 40) * (1.0 / 16777216);
        }
    }

    public void Dispose()
    {
    }

    private static bool IsCounter(string name) => LastPart(name) == "num_batches_tracked";

    private static string LastPart(string name) => name[(name.LastIndexOf('.') + 1)..];

    private static (double Scale, double Shift, bool Centred) Range(string name, int[] shape)
    {
        if (shape.Length >= 2)
        {
            long fanIn = shape.Skip(1).Aggregate(1L, (product, size) => product * size);
            double gain = shape.Length == 4 && shape[1] == 1 ? 1.0 : 1.3125;
            return (Math.Sqrt(6.0 / fanIn) * gain, 0, true);
        }
        return LastPart(name) switch
        {
            "running_var" => (1, 0.5, false),
            "running_mean" => (0.2, 0, true),
            "bias" => (0.1, 0, true),
            "weight" or "gamma" => (0.4, 0.4, false),
            _ => throw new ArgumentException($"The goldens have no rule for {name} [{string.Join(",", shape)}]."),
        };
    }

    private static void Fill(
        string name, Span<float> destination, (double Scale, double Shift, bool Centred) range)
    {
        const int Block = 1 << 16;
        ulong hash = Hash(name.StartsWith("module.", StringComparison.Ordinal) ? name["module.".Length..] : name);
        int length = destination.Length;
        (double scale, double shift, bool centred) = range;
        fixed (float* first = destination)
        {
            float* start = first;
            Parallel.For(0, (length + Block - 1) / Block, block =>
            {
                int begin = block * Block, end = Math.Min(begin + Block, length);
                if (centred)
                    for (int i = begin; i < end; i++)
                        start[i] = (float)((2.0 * Uniform(hash, i) - 1.0) * scale);
                else
                    for (int i = begin; i < end; i++)
                        start[i] = (float)(shift + Uniform(hash, i) * scale);
            });
        }
    }
}
