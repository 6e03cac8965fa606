using Atrous.Backends.Cpu;
using Atrous.Graph;
using Atrous.Graph.Ops;
using Atrous.Postprocessing;
using Atrous.Tensors;

namespace Atrous.Cli;

/// <summary>
/// What a process does for the first time must be loaded and compiled. While the command reads its arguments and the
/// checkpoint, a network of two convolutions goes the way of the real one on another thread: it takes 30 ms off the
/// first mask.
/// </summary>
internal static class WarmUp
{
    private static readonly string[] Commands = ["segment", "bench", "eval", "infer"];

    /// <summary>Starts it, for a command that runs a network, where another core is free for it.</summary>
    public static void Start(string[] args)
    {
        if (args.Length == 0 || !Commands.Contains(args[0]) || Environment.ProcessorCount == 1)
            return;
        try
        {
            new Thread(RunSilently) { IsBackground = true, Name = "warm-up" }.Start();
        }
        catch (OutOfMemoryException)
        {
            // The system has no room for another thread: the command goes without.
        }
    }

    /// <summary>The network of two convolutions, from its weights to its mask, on the calling thread.</summary>
    public static void Run()
    {
        var graph = new GraphBuilder();
        Value x = graph.Input("image", new Shape(1, 8, 8, 3));
        using var zeros = new Zeros();
        Value a = Convolution(graph, "a", zeros, x, 3), b = Convolution(graph, "b", zeros, a, 8);
        Value sum = graph.Add("sum", new Binary(BinaryKind.Add, Activation.Relu), b, a);
        Value joined = graph.Add("joined", new Concat(), sum, graph.Add("pooled", new MaxPool2d(1, 1, 0), a));
        Value labels = graph.Add("labels", new Argmax(), graph.Resize("scores", joined, 16, 16, Sampling.HalfPixel));
        using var backend = new CpuBackend(threads: 1);
        using var executable = backend.Compile(graph.Build(labels));
        using var input = new Tensor(x.Shape);
        using var output = new Tensor(labels.Shape, labels.Type);
        input.Image<float>(0).Clear();
        executable.Run([input], [output]);
        LabelPng.Save(Stream.Null, output.Image<ushort>(0), 16, 16, joined.Shape.Channels);
    }

    private static void RunSilently()
    {
        try
        {
            Run();
        }
        catch (Exception)
        {
            // No memory, no library, an unknown ATROUS_ISA: the command meets the same and says it.
        }
    }

    private static Value Convolution(GraphBuilder graph, string name, Zeros zeros, Value x, int channels)
    {
        var kernel = new Weight(zeros, new WeightInfo(name, DType.Float32, [8, channels, 3, 3]));
        Value y = graph.Add(name, new Conv2d(kernel, null, null, 1, 1, Padding.Symmetric(1), 1, Activation.None), x);
        var ones = new float[8];
        Array.Fill(ones, 1);
        return graph.Add(name + "/relu", new Activate(Activation.Relu),
            graph.Add(name + "/norm", new BatchNorm(ones, new float[8], Activation.None), y));
    }

    private sealed class Zeros : IWeightSource
    {
        public IReadOnlyDictionary<string, WeightInfo> Weights { get; } = new Dictionary<string, WeightInfo>();

        public void Read(string name, Span<float> destination) => destination.Clear();

        public void Dispose()
        {
        }
    }
}
