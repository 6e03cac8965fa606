namespace Atrous;

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
