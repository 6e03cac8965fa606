using Atrous.Cli.Batches;
using Atrous.Cli.Output;

namespace Atrous.Cli.Segmenting;

/// <summary>A picture whose outputs are written.</summary>
/// <param name="Job">Where the picture came from and where its outputs went.</param>
/// <param name="Mask">What there is to tell of the mask.</param>
/// <param name="Decode">How long it took to read and decode the picture.</param>
/// <param name="Encode">How long it took to encode and write the outputs.</param>
/// <param name="Warning">A sentence about a file that was not whole, or null.</param>
internal sealed record SegmentedPicture(
    SegmentJob Job, MaskFacts Mask, TimeSpan Decode, TimeSpan Encode, string? Warning)
{
    /// <summary>What its mask was made of; null where the run does not record it.</summary>
    public MaskRecord? Record { get; init; }

    /// <summary>The outputs are those of an earlier run.</summary>
    public bool IsFromBefore { get; init; }
}

/// <summary>What a run tells while it works. This one tells errors alone.</summary>
internal class SegmentationReport
{
    private readonly List<SegmentJob> _written = [];

    /// <summary>The pictures whose outputs are written, in that order.</summary>
    protected IReadOnlyList<SegmentJob> Written => _written;

    protected int Failures { get; private set; }

    /// <summary>Pictures whose outputs were there.</summary>
    protected int FromBefore { get; private set; }

    /// <summary>Does the work, with a report's beginning and end around it.</summary>
    /// <param name="segmenter">Null where no input could be found.</param>
    /// <param name="options">As the segmenter was loaded.</param>
    /// <param name="pictures">How many there are.</param>
    /// <param name="work">Calls <see cref="Done"/>, <see cref="Skipped"/> and <see cref="Failed"/>.</param>
    /// <param name="interruption">Tells whether the work was cut short.</param>
    public virtual void Around(
        Segmenter? segmenter, SegmenterOptions options, int pictures, Action work, Interruption interruption) => work();

    public virtual void Done(SegmentedPicture picture) => _written.Add(picture.Job);

    /// <summary>A picture whose outputs were there.</summary>
    public virtual void Skipped(SegmentedPicture picture) => FromBefore++;

    public void Failed(string input, Failure failure)
    {
        Failures++;
        OnFailed(input, failure);
    }

    /// <summary>A sentence while the work goes on.</summary>
    public virtual void Say(string sentence) => Terminal.Message(sentence);

    protected virtual void OnFailed(string input, Failure failure) => Terminal.Message(failure.About(input));
}
