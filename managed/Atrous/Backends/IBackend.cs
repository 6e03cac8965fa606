using Atrous.Graph;
using Atrous.Tensors;

namespace Atrous.Backends;

/// <summary>A device that runs graphs. Safe to use from many threads.</summary>
public interface IBackend : IDisposable
{
    /// <summary>As the user says it: "cpu", "reference", "cuda:0".</summary>
    string Name { get; }

    /// <summary>
    /// Applies this backend's passes, plans memory and packs weights (once per weight, however many graphs use it).
    /// </summary>
    /// <param name="graph">The network with fixed shapes, as a model builds it.</param>
    /// <exception cref="UnavailableException">The graph has an operation that this backend does not have.</exception>
    IExecutable Compile(NetworkGraph graph);

    /// <summary>How many pictures of a size are worth running together; more only wait for each other.</summary>
    /// <param name="height">The number of rows of the network's input.</param>
    /// <param name="width">The number of columns of the network's input.</param>
    int WorthwhileBatch(int height, int width) => int.MaxValue;
}

/// <summary>A backend whose device has memory of its own.</summary>
internal interface IDeviceMemory
{
    /// <summary>The most bytes that this backend has held there at one time, weights included.</summary>
    long PeakDeviceBytes { get; }
}

/// <summary>
/// A graph ready to run, for its one input shape. Safe to use from many threads at once. Disposing it gives back what
/// it keeps between runs; runs that are under way, or come late, still finish.
/// </summary>
public interface IExecutable : IDisposable
{
    /// <summary>
    /// Runs the graph: reads <paramref name="inputs"/>, fills <paramref name="outputs"/>, both in the graph's order.
    /// </summary>
    /// <param name="inputs">The tensors to read, with the shapes and types of the graph's inputs.</param>
    /// <param name="outputs">The tensors to overwrite, with the shapes and types of the graph's outputs.</param>
    /// <param name="cancellationToken">Is looked at between two operations.</param>
    /// <exception cref="ArgumentException">A tensor has not the shape or type of its value.</exception>
    /// <exception cref="OperationCanceledException">
    /// Cancelled between two operations; the outputs are garbage.
    /// </exception>
    void Run(ReadOnlySpan<Tensor> inputs, ReadOnlySpan<Tensor> outputs, CancellationToken cancellationToken = default);
}
