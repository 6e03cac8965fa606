namespace Atrous;

/// <summary>
/// A failure that Atrous explains: the message is one sentence that says what was wrong and what to do about it.
/// </summary>
public class AtrousException : Exception
{
    public AtrousException(string message)
        : base(message)
    {
    }

    public AtrousException(string message, Exception inner)
        : base(message, inner)
    {
    }

    /// <summary>What may help, for a program that has words of its own for it, as the tool has.</summary>
    internal Remedy Remedy { get; init; }

    /// <summary>The published model that the message is about, or null where it is about none.</summary>
    internal string? ModelName { get; init; }
}

/// <summary>What a user can do about a failure. The message tells it in the library's words, if at all.</summary>
[Flags]
internal enum Remedy
{
    None = 0,

    /// <summary>Name no dialect: the file is recognised by itself.</summary>
    RecogniseDialect = 1,

    /// <summary>Look at what was recognised in the file.</summary>
    DescribeModel = 2,

    /// <summary>Fetch the published model <see cref="AtrousException.ModelName"/>.</summary>
    PullModel = 4,

    /// <summary>Take one of the models that have a name.</summary>
    ListModels = 8,

    /// <summary>Run on the CPU, which needs no driver.</summary>
    UseCpu = 16,

    /// <summary>Slide a window over the picture.</summary>
    SlideWindow = 32,

    /// <summary>Compute in fp16, which takes half the memory.</summary>
    UseHalfPrecision = 64,

    /// <summary>Compute in another precision.</summary>
    ChangePrecision = 128,

    /// <summary>Listen on another port.</summary>
    ChangePort = 256,

    /// <summary>Write safetensors instead.</summary>
    Convert = 512,

    /// <summary>Name the label that is not scored.</summary>
    IgnoreLabel = 1024,

    /// <summary>Say which class a label is.</summary>
    MapLabels = 2048,

    /// <summary>Allow pictures of more pixels.</summary>
    MorePixels = 4096,

    /// <summary>Say which bands of a TIFF the network takes.</summary>
    ChooseBands = 8192,

    /// <summary>Say which sample of a TIFF stands for white.</summary>
    SayWhite = 16384,

    /// <summary>Quantise the model.</summary>
    Quantize = 32768,
}

/// <summary>
/// A model file that cannot be used: broken, hostile, of an unknown dialect, or with missing weights. Retrying is
/// useless.
/// </summary>
public sealed class ModelException : AtrousException
{
    public ModelException(string message)
        : base(message)
    {
    }

    public ModelException(string message, Exception inner)
        : base(message, inner)
    {
    }
}

/// <summary>A picture that cannot be read, or that does not suit the model. Retrying is useless.</summary>
public sealed class ImageException : AtrousException
{
    public ImageException(string message)
        : base(message)
    {
    }

    public ImageException(string message, Exception inner)
        : base(message, inner)
    {
    }
}

/// <summary>A device, precision or option that this machine or this model does not have.</summary>
public sealed class UnavailableException(string message) : AtrousException(message);

/// <summary>
/// Memory ran out, of the machine or of a device. A smaller picture or batch may do, or the same one later.
/// </summary>
public class MemoryException : AtrousException
{
    public MemoryException(string message)
        : base(message)
    {
    }

    public MemoryException(string message, Exception inner)
        : base(message, inner)
    {
    }
}

/// <summary>
/// A file that cannot be written: its folder is missing, its disk is full, or it is not ours to write.
/// </summary>
public sealed class OutputException : AtrousException
{
    public OutputException(string message)
        : base(message)
    {
    }

    public OutputException(string message, Exception inner)
        : base(message, inner)
    {
    }
}

/// <summary>A request had no result in its time.</summary>
public sealed class RequestTimeoutException(string message) : AtrousException(message);
