namespace Atrous.Backends.Cuda;

/// <summary>How a CUDA device is used.</summary>
internal sealed record CudaOptions
{
    /// <summary>
    /// Set to "off" it takes the engines that the libraries think best, untimed; any path can be forced.
    /// </summary>
    public const string TuningVariable = "ATROUS_CUDA_TUNING";

    /// <summary>Set to 1 it sends <see cref="Log"/> to standard error.</summary>
    public const string LogVariable = "ATROUS_CUDA_LOG";

    /// <summary>
    /// Times the algorithms of every convolution once, on the first run of a shape. Choices are kept in
    /// <see cref="ChoiceFolder"/>.
    /// </summary>
    public bool Tuning { get; init; } =
        !string.Equals(Environment.GetEnvironmentVariable(TuningVariable), "off", StringComparison.OrdinalIgnoreCase);

    /// <summary>Where choices are kept from one process to the next; null for nowhere.</summary>
    public string? ChoiceFolder { get; init; }

    /// <summary>
    /// Told which algorithm each convolution takes, and what could not be kept; from any thread. Standard error where
    /// <see cref="LogVariable"/> is 1, nobody otherwise.
    /// </summary>
    public Action<string>? Log { get; init; } =
        Environment.GetEnvironmentVariable(LogVariable) == "1"
            ? line => Console.Error.WriteLine($"cuda: {line}")
            : null;
}
