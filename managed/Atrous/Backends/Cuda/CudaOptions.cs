namespace Atrous.Backends.Cuda;

/// <summary>How a CUDA device is used.</summary>
public sealed record CudaOptions
{
    /// <summary>Set to "off" it takes the engines that the libraries think best, untimed; any path can be forced.</summary>
    public const string TuningVariable = "ATROUS_CUDA_TUNING";

    /// <summary>
    /// Times the ways of every convolution once, on the first run of a shape. Choices are kept in <see cref="ChoiceFolder"/>.
    /// </summary>
    public bool Tuning { get; init; } = !string.Equals(Environment.GetEnvironmentVariable(TuningVariable), "off", StringComparison.OrdinalIgnoreCase);

    /// <summary>Where choices are kept from one process to the next; null for nowhere.</summary>
    public string? ChoiceFolder { get; init; }

    /// <summary>Told which way each convolution takes, and what could not be kept; from any thread.</summary>
    public Action<string>? Log { get; init; }
}
