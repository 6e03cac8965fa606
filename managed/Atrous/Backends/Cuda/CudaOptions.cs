using System.Globalization;

namespace Atrous.Backends.Cuda;

/// <summary>How a CUDA device is used.</summary>
internal sealed record CudaOptions
{
    /// <summary>
    /// Set to "off" it takes the engines that the libraries think best, untimed; set to a number of seconds, timing
    /// takes no more than that in this process.
    /// </summary>
    public const string TuningVariable = "ATROUS_CUDA_TUNING";

    /// <summary>Set to "off" it runs the steps of a network one after the other.</summary>
    public const string BranchesVariable = "ATROUS_CUDA_BRANCHES";

    /// <summary>The most mebibytes of device memory that a model takes.</summary>
    public const string MemoryVariable = "ATROUS_CUDA_MEMORY";

    /// <summary>Set to 1 it sends <see cref="Log"/> to standard error.</summary>
    public const string LogVariable = "ATROUS_CUDA_LOG";

    /// <summary>
    /// Times the algorithms of every convolution once, on the first run of a shape. Choices are kept in
    /// <see cref="ChoiceFolder"/>.
    /// </summary>
    public bool Tuning { get; init; } = !IsOff(TuningVariable);

    /// <summary>Runs steps beside each other that do not fill the device and do not need each other.</summary>
    public bool Branches { get; init; } = !IsOff(BranchesVariable);

    /// <summary>
    /// The most time that timing takes; later convolutions take the first proposal, and are timed by the next process.
    /// Null for as long as it takes.
    /// </summary>
    public TimeSpan? TuningTime { get; init; } = Number(TuningVariable, "off or a number of seconds") is { } seconds
        ? TimeSpan.FromSeconds(seconds) : null;

    /// <summary>The most bytes of device memory that are taken; null for all that there are.</summary>
    public long? MemoryLimit { get; init; } = Number(MemoryVariable, "a number of mebibytes") is { } mebibytes
        ? (long)mebibytes << 20 : null;

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

    /// <summary>Told, in a sentence, what makes every network slow; from any thread. Standard error.</summary>
    public Action<string>? Warn { get; init; } = line => Console.Error.WriteLine($"warning: {line}");

    private static bool IsOff(string variable) =>
        string.Equals(Environment.GetEnvironmentVariable(variable), "off", StringComparison.OrdinalIgnoreCase);

    /// <summary>The number of a variable; null where it is not set, or says "off".</summary>
    /// <exception cref="UnavailableException">It is set to something else.</exception>
    internal static double? Number(string variable, string meaning)
    {
        string? text = Environment.GetEnvironmentVariable(variable);
        if (string.IsNullOrEmpty(text) || text.Equals("off", StringComparison.OrdinalIgnoreCase))
            return null;
        return double.TryParse(text, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out double number)
            && number is > 0 and < 1e9
            ? number
            : throw new UnavailableException($"{variable} is '{text}'; it may be {meaning}.");
    }
}
