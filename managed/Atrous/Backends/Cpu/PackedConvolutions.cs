using System.Runtime.ExceptionServices;
using Atrous.Graph;
using Atrous.Graph.Ops;
using Atrous.Native;
using Atrous.Tensors;

namespace Atrous.Backends.Cpu;

/// <summary>
/// Packed weights by the convolution that uses them, so that graphs of different shapes share one copy. A weight is
/// read from its file, packed and forgotten: at no time is there more than one of them unpacked on a thread.
/// </summary>
/// <param name="engine">The threads and the instruction set that the weights are packed for.</param>
/// <param name="node">In whose memory they are; null for any.</param>
internal sealed unsafe class PackedConvolutions(EngineHandle engine, ProcessorNode? node = null) : IDisposable
{
    /// <summary>
    /// More threads would wait for the memory, and each holds an unpacked weight, of up to 19 MB in a DeepLab.
    /// </summary>
    private const int MostThreads = 4;

    private readonly Dictionary<Weight, List<Packed>> _packed = [];

    /// <summary>Reads and packs the weights that a graph needs and no graph before it has needed.</summary>
    /// <exception cref="ModelException">The weights cannot be read; those that could are kept.</exception>
    public void Pack(NetworkGraph graph)
    {
        lock (_packed)
        {
            var missing = new List<Packed>();
            foreach (Packed wanted in graph.Nodes.SelectMany(Convolutions))
            {
                if (Find(wanted.Op, wanted.Type, wanted.Zero) is not null)
                    continue;
                missing.Add(wanted);
                if (!_packed.TryGetValue(wanted.Op.Kernel, out List<Packed>? forms))
                    _packed.Add(wanted.Op.Kernel, forms = []);
                forms.Add(wanted);
            }
            try
            {
                Pack(missing);
            }
            finally
            {
                foreach (Packed failed in missing.Where(packed => packed.Handle is null))
                    _packed[failed.Op.Kernel].Remove(failed);
            }
        }
    }

    /// <summary>The packed form of a convolution of a graph that was packed.</summary>
    /// <param name="op">The convolution, one of those that the graph has, alone or within a separable one.</param>
    /// <param name="type">The type of its input, and so of its weights: float32, bfloat16, or uint8.</param>
    /// <param name="zero">The element of an input of uint8 that stands for 0; else 0.</param>
    public Conv2dHandle Get(Conv2d op, DType type, int zero = 0)
    {
        lock (_packed)
            return Find(op, type, zero)?.Handle ?? throw new InvalidOperationException($"{op.Kernel} is not packed.");
    }

    public void Dispose()
    {
        foreach (List<Packed> forms in _packed.Values)
        {
            foreach (Packed packed in forms)
                packed.Handle?.Dispose();
        }
        _packed.Clear();
    }

    private static IEnumerable<Packed> Convolutions(Node node) => node.Op switch
    {
        Conv2d op => [new(op, node.Inputs[0].Type, node.Inputs[0].Shape, node.Inputs[0].Quantization.Zero)],
        SeparableConv2d op =>
            [new(op.Depthwise, node.Inputs[0].Type, node.Inputs[0].Shape),
            new(op.Pointwise, op.Between, node.Output.Shape)],
        _ => [],
    };

    private Packed? Find(Conv2d op, DType type, int zero)
    {
        if (_packed.TryGetValue(op.Kernel, out List<Packed>? forms))
        {
            foreach (Packed packed in forms)
            {
                if (packed.Type == type && packed.Zero == zero && Same(packed.Op, op))
                    return packed;
            }
        }
        return null;
    }

    /// <summary>True where the two differ in padding alone, which is given when the convolution runs.</summary>
    private static bool Same(Conv2d a, Conv2d b) =>
        a.Stride == b.Stride && a.Dilation == b.Dilation && a.Groups == b.Groups && a.Activation == b.Activation
        && Equal(a.Scale, b.Scale) && Equal(a.Bias, b.Bias);

    private static bool Equal(float[]? a, float[]? b) =>
        ReferenceEquals(a, b) || (a is not null && b is not null && a.AsSpan().SequenceEqual(b));

    /// <summary>On this thread and some more, each of which takes the next that none has taken.</summary>
    private void Pack(List<Packed> missing)
    {
        if (missing.Count == 0)
            return;
        var failures = new Exception?[missing.Count];
        long largest = missing.Max(packed => packed.Op.Kernel.Elements) * sizeof(float);
        int taken = -1;
        void Work()
        {
            int index = Interlocked.Increment(ref taken);
            if (index >= missing.Count)
                return;
            // Memory is of the node where it is first written.
            using ProcessorNode.Stay stay = ProcessorNode.Enter(node);
            try
            {
                using var unpacked = new NativeBuffer(largest);
                for (; index < missing.Count; index = Interlocked.Increment(ref taken))
                    missing[index].Handle = Pack(missing[index], (float*)unpacked.Pointer);
            }
            catch (Exception e)
            {
                failures[index] = e;
                Volatile.Write(ref taken, missing.Count);
            }
        }
        var others = new List<Thread>();
        while (others.Count < Math.Min(Math.Min(engine.Threads, MostThreads), missing.Count) - 1)
        {
            var other = new Thread(Work) { IsBackground = true, Name = "packing" };
            try
            {
                other.Start();
            }
            catch (OutOfMemoryException)
            {
                break; // The system has no room for another thread: those that there are do it.
            }
            others.Add(other);
        }
        Work();
        foreach (Thread other in others)
            other.Join();
        // Of several the first in the graph's order, which does not depend on the threads.
        if (Array.Find(failures, failure => failure is not null) is { } first)
            ExceptionDispatchInfo.Throw(first);
    }

    private Conv2dHandle Pack(Packed packed, float* unpacked)
    {
        Conv2d op = packed.Op;
        op.Kernel.Read(new Span<float>(unpacked, checked((int)op.Kernel.Elements)));
        var desc = new NativeConv2d
        {
            InChannels = op.Kernel.Shape[1] * op.Groups,
            OutChannels = op.OutChannels,
            KernelHeight = op.KernelHeight,
            KernelWidth = op.KernelWidth,
            StrideHeight = op.Stride,
            StrideWidth = op.Stride,
            DilationHeight = op.Dilation,
            DilationWidth = op.Dilation,
            Groups = op.Groups,
            Activation = (int)op.Activation.Kind,
            Slope = op.Activation.Slope,
            Type = View.NativeTypeOf(packed.Type),
            UsualHeight = packed.Usual.Height,
            UsualWidth = packed.Usual.Width,
            Zero = packed.Zero,
        };
        fixed (float* scale = op.Scale, bias = op.Bias)
        {
            LibAtrous.ThrowIfFailed(
                LibAtrous.Conv2dCreate(engine, desc, unpacked, scale, bias, out nint conv), op.Kernel.Name);
            return new Conv2dHandle(conv);
        }
    }

    /// <summary>A convolution and, once it is packed, its weights.</summary>
    private sealed class Packed(Conv2d op, DType type, Shape usual, int zero = 0)
    {
        public Conv2d Op { get; } = op;

        public DType Type { get; } = type;

        /// <summary>The element of its input that stands for 0, which its sums must leave out.</summary>
        public int Zero { get; } = zero;

        /// <summary>The input of the first graph that has it: what most calls are taken to have.</summary>
        public Shape Usual { get; } = usual;

        public Conv2dHandle? Handle { get; set; }
    }
}
