using Atrous.Backends.Cuda.Convolutions;
using Atrous.Graph;
using Atrous.ManagedCuda;
using Atrous.ManagedCuda.CUBLAS;
using Atrous.ManagedCuda.CUDNN;
using Atrous.Tensors;

namespace Atrous.Backends.Cuda;

/// <summary>
/// Runs graphs on an NVIDIA GPU: convolutions through cuDNN and cuBLASLt, the rest through the kernels of native/cuda.
/// Weights are sent once and shared by every shape. Dispose it after its executables; runs that are under way are
/// waited for.
/// </summary>
internal sealed class CudaBackend : IDevicePointers, IDeviceMemory, IParallelRuns
{
    /// <summary>Numbers of a convolution's output that one multiprocessor makes at a time.</summary>
    private const int Tile = 128 * 128;

    private readonly ChoiceFile _choices;
    private readonly PlanFiles _plans;
    private readonly CudaOptions _options;
    private readonly TuningSession _session;

    /// <summary>Opens a device.</summary>
    /// <param name="device">The n of "cuda:n".</param>
    /// <param name="precision">The number format of weights and activations; sums are float32.</param>
    /// <param name="options">The options; null for the defaults.</param>
    /// <exception cref="UnavailableException">
    /// There is no such device, or no driver, cuDNN 9 or cuBLASLt for it.
    /// </exception>
    public CudaBackend(int device = 0, Precision precision = Precision.Fp32, CudaOptions? options = null)
    {
        _options = options ?? new CudaOptions();
        Precision = precision;
        Storage = Format.StorageOf(precision);
        _session = new TuningSession(_options);
        Device = CudaDevices.Open(device, precision, _options);
        Weights = new DeviceWeights(Device, Storage);
        CudaDeviceProperties properties = Device.Properties;
        _choices = new ChoiceFile(
            _options.Tuning ? _options.ChoiceFolder : null,
            $"{properties.DeviceName}, compute capability {properties.ComputeCapability}, " +
            $"{properties.MultiProcessorCount} multiprocessors, "
                + $"driver {CudaContext.GetDriverVersion()}, cuDNN {CudaDNNContext.GetVersion()}, cuBLASLt " +
                $"{CudaBlasLt.GetVersion()}, {precision}, timed on the device, sums of float32",
            _options.Log);
        _plans = new PlanFiles(Path.ChangeExtension(_choices.FilePath, null), _options.Log);
    }

    /// <inheritdoc/>
    public string Name => Device.Name;

    /// <summary>As the driver names the device.</summary>
    public string DeviceName => Device.Properties.DeviceName;

    /// <summary>Number format of weights and activations.</summary>
    public Precision Precision { get; }

    /// <summary>Where the choice of engines is kept; null for nowhere.</summary>
    public string? ChoiceFile => _choices.FilePath;

    /// <summary>Bytes of device memory that weights take.</summary>
    public long WeightBytes => Weights.SizeInBytes;

    /// <inheritdoc/>
    public long PeakDeviceBytes => Device.PeakBytes;

    /// <summary>While the device is at one, the host packs the next and unpacks the last.</summary>
    public int RunsAtOnce => 2;

    internal CudaDevice Device { get; }

    internal DType Storage { get; }

    internal DeviceWeights Weights { get; }

    internal RunGate Gate { get; } = new();

    /// <inheritdoc/>
    public IExecutable Compile(NetworkGraph graph) => Make(graph, null);

    /// <inheritdoc/>
    IPictureExecutable IPictureBackend.Compile(NetworkGraph graph, PictureSource picture) => Make(graph, picture);

    /// <inheritdoc/>
    IDevicePointerExecutable IDevicePointers.CompileOnDevice(NetworkGraph graph, PictureSource picture) =>
        Make(graph, picture with { StaysOnDevice = true });

    /// <inheritdoc/>
    public void Dispose()
    {
        if (!Gate.Close())
            return;
        Weights.Dispose();
        Device.Dispose();
    }

    /// <summary>Chooses the engines of a network; the caller holds the device's setup.</summary>
    /// <exception cref="OperationCanceledException">Cancelled; the choices up to then are kept.</exception>
    internal DevicePlan Plan(
        DeviceGraph graph, PictureSource? picture, string purpose, CancellationToken cancellationToken)
    {
        var algorithms = new ConvolutionAlgorithms(
            Device, Precision, _options, _choices, _plans, _session, cancellationToken);
        long full = _options.Branches ? (long)Device.Properties.MultiProcessorCount * Tile : 0;
        using (Device.Context.Enter())
            return DevicePlan.Of(graph, Storage, picture, Weights, algorithms, purpose, full, _options.Log);
    }

    private CudaExecutable Make(NetworkGraph graph, PictureSource? picture)
    {
        Gate.Enter(this);
        try
        {
            return new CudaExecutable(this, graph, picture);
        }
        catch (Exception e) when (CudaFailure.IsOne(e))
        {
            throw CudaFailure.Explain(e, Device);
        }
        finally
        {
            Gate.Leave();
        }
    }
}
