using Atrous.ManagedCuda.CUDNN.Native;

namespace Atrous.ManagedCuda.CUDNN;

/// <summary>
/// Operations that one plan computes: a convolution and what is done to its result. Each pointwise operation takes the
/// result of the one before as its first operand, which is the pattern that cuDNN's engines for convolutions know.
/// </summary>
public sealed class OperationGraph : IDisposable
{
    private readonly CudaDNNContext _cudnn;
    private readonly CudnnDescriptor _graph;

    private OperationGraph(CudaDNNContext cudnn, CudnnDescriptor graph)
    {
        _cudnn = cudnn;
        _graph = graph;
    }

    /// <summary>Begins with a convolution y = x * w; sums are 32-bit floats.</summary>
    /// <param name="cudnn">The cuDNN context that the graph is built and run in.</param>
    /// <param name="x">The input, N C H W.</param>
    /// <param name="w">The filter, K C/groups R S, channels last.</param>
    /// <param name="window">The padding, stride and atrous rate.</param>
    /// <param name="y">The result; virtual if operations follow.</param>
    public static Builder Convolution(
        CudaDNNContext cudnn, GraphTensor x, GraphTensor w, ConvolutionWindow window, GraphTensor y) =>
        new(cudnn, x, w, window, y);

    /// <summary>
    /// The algorithms that compute the graph, the one expected to be fastest first; none if cuDNN has no engine for it.
    /// </summary>
    /// <param name="mode">How they are ranked.</param>
    /// <param name="count">The largest number of them to return, at least 1.</param>
    /// <param name="unreadable">The action that is told of each that cannot be read, and is left out.</param>
    /// <exception cref="CudaDNNException">cuDNN has no engines for the graph, and says why.</exception>
    public EngineConfig[] GetEngineConfigs(
        HeuristicMode mode, int count = 16, Action<CudaDNNException>? unreadable = null)
    {
        using (_cudnn.Context.Enter())
        {
            using var heuristic = new CudnnDescriptor(DescriptorType.EngineHeuristic);
            heuristic
                .Set(AttributeName.EngineHeuristicOperationGraph, _graph)
                .Set(AttributeName.EngineHeuristicMode, AttributeType.HeuristicMode, mode);
            heuristic.Complete();
            CudnnDescriptor[] found =
                heuristic.GetChildren(AttributeName.EngineHeuristicResults, DescriptorType.EngineConfig, count);
            var configs = new List<EngineConfig>();
            try
            {
                foreach (CudnnDescriptor config in found)
                {
                    try
                    {
                        configs.Add(new EngineConfig(_cudnn, config));
                    }
                    catch (CudaDNNException e)
                    {
                        unreadable?.Invoke(e);
                    }
                }
                return [.. configs];
            }
            catch
            {
                foreach (CudnnDescriptor config in found)
                    config.Dispose();
                throw;
            }
        }
    }

    /// <summary>The engine and the knobs that were kept.</summary>
    /// <param name="choice">The engine and its knobs.</param>
    /// <exception cref="CudaDNNException">This cuDNN does not have it for this graph.</exception>
    public EngineConfig CreateEngineConfig(EngineChoice choice)
    {
        using (_cudnn.Context.Enter())
        {
            using CudnnDescriptor engine = Descriptors.Make(DescriptorType.Engine, descriptor => descriptor
                .Set(AttributeName.EngineOperationGraph, _graph)
                .Set(AttributeName.EngineGlobalIndex, AttributeType.Int64, choice.Engine));
            var knobs = new List<CudnnDescriptor>();
            try
            {
                foreach ((int type, long value) in choice.Knobs)
                {
                    knobs.Add(Descriptors.Make(DescriptorType.KnobChoice, descriptor => descriptor
                        .Set(AttributeName.KnobChoiceType, AttributeType.KnobType, type)
                        .Set(AttributeName.KnobChoiceValue, AttributeType.Int64, value)));
                }
                return new EngineConfig(_cudnn, Descriptors.Make(DescriptorType.EngineConfig, descriptor =>
                {
                    descriptor.Set(AttributeName.EngineConfigEngine, engine);
                    if (knobs.Count > 0)
                        descriptor.Set(AttributeName.EngineConfigKnobChoices, [.. knobs]);
                }));
            }
            finally
            {
                knobs.ForEach(knob => knob.Dispose());
            }
        }
    }

    public void Dispose() => _graph.Dispose();

    /// <summary>Collects the operations of a graph.</summary>
    public sealed class Builder
    {
        private readonly CudaDNNContext _cudnn;
        private readonly GraphTensor _x, _w, _y;
        private readonly ConvolutionWindow _window;
        private readonly List<(Pointwise Operation, GraphTensor? Operand, GraphTensor Y)> _steps = [];

        internal Builder(CudaDNNContext cudnn, GraphTensor x, GraphTensor w, ConvolutionWindow window, GraphTensor y)
        {
            _cudnn = cudnn;
            _x = x;
            _w = w;
            _window = window;
            _y = y;
        }

        /// <summary>Appends an operation on the last result.</summary>
        /// <param name="operation">The operation with its constants.</param>
        /// <param name="operand">The second operand, if it takes one: of the result's shape, or broadcast.</param>
        /// <param name="y">Its result; virtual if operations follow.</param>
        public Builder Then(Pointwise operation, GraphTensor? operand, GraphTensor y)
        {
            _steps.Add((operation, operand, y));
            return this;
        }

        /// <summary>Describes the graph to cuDNN.</summary>
        /// <exception cref="CudaDNNException">Shapes do not meet, or cuDNN has no such pattern.</exception>
        public OperationGraph Build()
        {
            using (_cudnn.Context.Enter())
            {
                // One descriptor a tensor, however many operations name it.
                var tensors = new Dictionary<GraphTensor, CudnnDescriptor>();
                var operations = new List<CudnnDescriptor>();
                try
                {
                    operations.Add(Descriptors.Convolution(Made(_x), Made(_w), _window, Made(_y)));
                    GraphTensor last = _y;
                    foreach ((Pointwise operation, GraphTensor? operand, GraphTensor y) in _steps)
                    {
                        operations.Add(Descriptors.Pointwise(
                            operation, Made(last), operand is { } second ? Made(second) : null, Made(y)));
                        last = y;
                    }
                    return new OperationGraph(_cudnn, Descriptors.Make(DescriptorType.OperationGraph, graph => graph
                        .Set(AttributeName.OperationGraphHandle, _cudnn.Handle)
                        .Set(AttributeName.OperationGraphOperations, [.. operations])));
                }
                finally
                {
                    operations.ForEach(operation => operation.Dispose());
                    foreach (CudnnDescriptor tensor in tensors.Values)
                        tensor.Dispose();
                }

                CudnnDescriptor Made(GraphTensor tensor)
                {
                    if (!tensors.TryGetValue(tensor, out CudnnDescriptor? made))
                        tensors.Add(tensor, made = Descriptors.Tensor(tensor));
                    return made;
                }
            }
        }
    }
}
