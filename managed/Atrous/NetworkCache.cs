using Atrous.Backends;
using Atrous.Graph;
using Atrous.Graph.Ops;
using Atrous.Imaging;
using Atrous.Models;
using Atrous.Preprocessing;
using Atrous.Specs;
using Atrous.Tensors;

namespace Atrous;

/// <summary>What is wanted of a network.</summary>
internal enum Wanted
{
    /// <summary>The tensors of <see cref="NetworkResult"/>.</summary>
    Tensors,

    /// <summary>The class of every pixel of the picture.</summary>
    Labels,

    /// <summary>The class, and its probability.</summary>
    LabelsAndConfidence,

    /// <summary>Every class's score for every pixel of the picture.</summary>
    Scores,

    /// <summary>Every class's probability for every pixel of the picture.</summary>
    Probabilities,

    /// <summary>The features that the head's image pooling takes the mean of.</summary>
    Features,
}

/// <summary>What makes one compiled network differ from another.</summary>
/// <param name="Input">The shape of the network's input, NHWC.</param>
/// <param name="Window">The part of the input that is picture.</param>
/// <param name="Height">The number of rows of the picture.</param>
/// <param name="Width">The number of columns of the picture.</param>
/// <param name="Wanted">What the network's outputs are.</param>
/// <param name="TakesContext">The image pooling's vector is a second input instead of the input's own.</param>
/// <param name="PictureFormat">
/// The pixels of the pictures that the device makes the input of; null where it is given the input.
/// </param>
/// <param name="OnDevice">The picture comes from the device's memory, and its labels stay there.</param>
internal readonly record struct NetworkKey(
    Shape Input, PictureWindow Window, int Height, int Width, Wanted Wanted, bool TakesContext = false,
    PixelFormat? PictureFormat = null, bool OnDevice = false)
{
    /// <summary>For a tensor that is no picture.</summary>
    public static NetworkKey Tensors(Shape input) =>
        new(input, new(0, 0, input.Height, input.Width), input.Height, input.Width, Wanted.Tensors);
}

/// <summary>
/// Compiled networks by key, the least recently used thrown away. Each is compiled once, however many threads ask for
/// it; one that is thrown away while it runs finishes its runs.
/// </summary>
internal sealed class NetworkCache(Model model, IBackend backend, int capacity, SegmenterLog log) : IDisposable
{
    private readonly LinkedList<Entry> _recent = [];

    private sealed record Entry(NetworkKey Key, Lazy<CompiledNetwork> Network);

    /// <summary>Compiles the network for some size, so that the weights are read and packed.</summary>
    public void Prepare()
    {
        int usual = model.SideFrom(513);
        Compile(NetworkKey.Tensors(new Shape(1, usual, usual, model.Description.Network.InputChannels)), null)
            .Dispose();
    }

    /// <summary>The device makes the input of pictures by itself.</summary>
    public bool TakesPictures => backend is IPictureBackend;

    /// <summary>A network that is ready to run.</summary>
    /// <param name="key">The size, the outputs and whatever else makes the network that is wanted.</param>
    /// <param name="picture">What the device makes the input of, where the key says so.</param>
    public CompiledNetwork Get(NetworkKey key, PictureSource? picture = null)
    {
        Entry entry;
        Lazy<CompiledNetwork>? dropped = null;
        lock (_recent)
        {
            var node = _recent.First;
            while (node is not null && node.Value.Key != key)
                node = node.Next;
            if (node is null)
                node = new(new(key, new Lazy<CompiledNetwork>(() =>
                {
                    log.FirstRun(key, backend.Name);
                    return Compile(key, picture);
                })));
            else
                _recent.Remove(node);
            _recent.AddFirst(node);
            entry = node.Value;
            if (_recent.Count > capacity)
            {
                dropped = _recent.Last!.Value.Network;
                _recent.RemoveLast();
            }
        }
        Discard(dropped);
        try
        {
            CompiledNetwork compiled = entry.Network.Value;
            // It may have been dropped while it was being compiled; then it must keep nothing after its runs.
            lock (_recent)
            {
                if (!_recent.Contains(entry))
                    compiled.Dispose();
            }
            return compiled;
        }
        catch
        {
            // A Lazy remembers its exception; the next caller shall try again (memory may have become free).
            lock (_recent)
                _recent.Remove(entry);
            throw;
        }
    }

    /// <summary>Scores at another size, on the network's last grid. The caller disposes them.</summary>
    public Tensor Resize(Tensor scores, int height, int width, CancellationToken cancellationToken)
    {
        var graph = new GraphBuilder();
        Value resized = graph.Resize(
            "scores", graph.Input("windows", scores.Shape), height, width, model.Description.Network.FinalSampling);
        NetworkGraph network = graph.Build(resized);
        using var compiled = new CompiledNetwork(backend.Compile(network), network.Outputs);
        return compiled.Run(scores, null, null, cancellationToken)[0];
    }

    public void Dispose()
    {
        lock (_recent)
        {
            foreach (Entry entry in _recent)
                Discard(entry.Network);
            _recent.Clear();
        }
        // What its outputs were in; those of other models will be mapped anew, once.
        NativeBuffer.ReleaseIdle();
    }

    private static void Discard(Lazy<CompiledNetwork>? network)
    {
        if (network is { IsValueCreated: true })
            network.Value.Dispose();
    }

    private CompiledNetwork Compile(NetworkKey key, PictureSource? picture)
    {
        var graph = new GraphBuilder();
        NetworkOutputs outputs = model.Build(graph, graph.Input("image", key.Input));
        Value[] wanted = key.Wanted == Wanted.Tensors
            ? [.. new[] { outputs.Forward, outputs.AtInputSize }.Distinct()]
            : OfPicture(graph, outputs, key);
        NetworkGraph network = graph.Build(wanted);
        if (key.Wanted == Wanted.Features)
            network = graph.Build(ImageContext.Of(network));
        else if (key.TakesContext)
            network = ImageContext.Given(network);
        if (key.OnDevice)
            return new CompiledNetwork(((IDevicePointers)backend).CompileOnDevice(network, picture!));
        return picture is not null && backend is IPictureBackend pictures
            ? new CompiledNetwork(pictures.Compile(network, picture), network.Outputs)
            : new CompiledNetwork(backend.Compile(network), network.Outputs);
    }

    private Value[] OfPicture(GraphBuilder graph, NetworkOutputs outputs, NetworkKey key)
    {
        bool softmax = model.Description.Network.SoftmaxBeforeResize;
        if (key.Wanted == Wanted.Features)
            return [outputs.Logits];
        if (model.Description is { Threshold: not null, MultiLabel: false })
            outputs = Foreground.WithBackground(graph, outputs);
        Value scores = Scores(graph, outputs, key, softmax);
        if (key.Wanted == Wanted.Scores)
            return [scores];
        if (key.Wanted == Wanted.Probabilities && model.Description.MultiLabel)
            return [graph.Add("probabilities", new Activate(Activation.Sigmoid), scores)];
        if (key.Wanted == Wanted.Probabilities)
            return [softmax ? scores : graph.Add("probabilities", new Softmax(), scores)];
        Value labels = graph.Add("labels", new Argmax(), scores);
        if (key.Wanted == Wanted.Labels)
            return [labels];
        // A confidence is a softmax by itself, so it is made from logits in any case.
        Value logits = softmax ? Scores(graph, outputs, key, softmax: false) : scores;
        return [labels, graph.Add("confidence", new Confidence(), logits)];
    }

    /// <summary>
    /// Scores for the picture's pixels: of the window alone where the picture does not fill the input.
    /// </summary>
    private Value Scores(GraphBuilder graph, NetworkOutputs outputs, NetworkKey key, bool softmax)
    {
        if (!softmax && key.Window == new PictureWindow(0, 0, key.Input.Height, key.Input.Width))
            return model.ScoresAt(graph, outputs, key.Height, key.Width);
        Value scores = softmax ? graph.Add("probabilities", new Softmax(), outputs.AtInputSize) : outputs.AtInputSize;
        var window = new Crop(key.Window.Top, key.Window.Left, key.Window.Height, key.Window.Width);
        NetworkSpec spec = model.Description.Network;
        return graph.Resize(
            "scores", graph.Add("window", window, scores), key.Height, key.Width,
            spec.ResizedTwice ? spec.FinalSampling : Sampling.HalfPixel);
    }
}
