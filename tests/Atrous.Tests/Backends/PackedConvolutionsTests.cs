using System.Collections.Concurrent;
using Atrous.Backends;
using Atrous.Backends.Cpu;
using Atrous.Graph;
using Atrous.Graph.Ops;
using Atrous.Tensors;
using Atrous.Tests.Support;

namespace Atrous.Tests.Backends;

/// <summary>Weights are read and packed on several threads.</summary>
public sealed class PackedConvolutionsTests
{
    private const int Layers = 12;
    private static readonly Shape Input = new(1, 9, 11, 32);

    [Fact]
    public void Any_number_of_threads_packs_the_same_bits() => ComparesThreads(Precision.Fp32);

    [Fact]
    public void Any_number_of_threads_packs_the_same_bits_of_bf16()
    {
        using (AllBackends.OfBFloat16())
            ComparesThreads(Precision.Bf16);
    }

    [Fact]
    public void Of_several_weights_that_cannot_be_read_the_first_is_reported()
    {
        using var weights = new Numbers("layer 5", "layer 6", "layer 9");
        for (int i = 0; i < 20; i++)
        {
            using var backend = new CpuBackend(threads: 4);
            Assert.Equal("layer 5", Assert.Throws<ModelException>(() => backend.Compile(Graph(weights))).Message);
        }
    }

    [Fact]
    public void What_could_not_be_read_is_read_when_it_is_asked_for_again()
    {
        using var weights = new Numbers("layer 5");
        using var backend = new CpuBackend(threads: 1);
        Assert.Throws<ModelException>(() => backend.Compile(Graph(weights)));
        weights.Unreadable.Clear();
        backend.Compile(Graph(weights)).Dispose();
        backend.Compile(Graph(weights)).Dispose();
        // The others were packed once: the first five before the failure, the rest after it.
        Assert.Equal(
            Enumerable.Range(0, Layers).Select(i => $"layer {i}").Append("layer 5").Order(), weights.Asked.Order());
    }

    private static void ComparesThreads(Precision precision)
    {
        float[] expected = Run(1, precision);
        Assert.Contains(expected, value => value > 0);
        for (int threads = 2; threads <= 6; threads++)
            Assert.Equal(expected, Run(threads, precision));
    }

    private static float[] Run(int threads, Precision precision)
    {
        using var weights = new Numbers();
        using var backend = new CpuBackend(threads, precision);
        using IExecutable executable = backend.Compile(Graph(weights));
        using var input = new Tensor(Input);
        using var output = new Tensor(Input);
        Fill(input.Image<float>(0), seed: 0);
        executable.Run([input], [output]);
        return output.Image<float>(0).ToArray();
    }

    /// <summary>3x3 and 1x1 by turns, so that products, Winograd's algorithm and both are packed.</summary>
    private static NetworkGraph Graph(Numbers weights)
    {
        var graph = new GraphBuilder();
        Value x = graph.Input("x", Input);
        for (int i = 0; i < Layers; i++)
        {
            int side = i % 2 == 0 ? 3 : 1;
            Weight kernel = weights.Kernel($"layer {i}", Input.Channels, side);
            x = graph.Add(
                $"layer {i}", new Conv2d(kernel, null, null, 1, 1, Padding.Symmetric(side / 2), 1, Activation.Relu), x);
        }
        return graph.Build(x);
    }

    private static void Fill(Span<float> values, int seed)
    {
        var random = new Random(seed);
        foreach (ref float value in values)
            value = random.NextSingle() - 0.4f;
    }

    /// <summary>Pseudo-random weights; some cannot be read.</summary>
    private sealed class Numbers(params string[] unreadable) : IWeightSource
    {
        private readonly Dictionary<string, Weight> _kernels = [];

        public HashSet<string> Unreadable { get; } = [.. unreadable];

        public ConcurrentBag<string> Asked { get; } = [];

        public IReadOnlyDictionary<string, WeightInfo> Weights => throw new NotSupportedException();

        /// <summary>The same object for the same name.</summary>
        public Weight Kernel(string name, int channels, int side)
        {
            if (!_kernels.TryGetValue(name, out Weight? kernel))
                _kernels.Add(name,
                    kernel = new Weight(this, new WeightInfo(name, DType.Float32, [channels, channels, side, side])));
            return kernel;
        }

        public void Read(string name, Span<float> destination)
        {
            Asked.Add(name);
            if (Unreadable.Contains(name))
                throw new ModelException(name);
            Fill(destination, seed: name.Length + name[^1]);
        }

        public void Dispose()
        {
        }
    }
}
