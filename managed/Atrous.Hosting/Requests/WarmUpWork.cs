using Atrous.Hosting.Scheduling;
using Atrous.Imaging;

namespace Atrous.Hosting.Requests;

/// <summary>The first run of a new model at one picture size and batch size, so that no request pays for it.</summary>
internal sealed class WarmUpWork(Segmenter segmenter, int height, int width, int pictures) : Work
{
    public override object Key => this;

    public override bool NeedsPreparation => false;

    public override void Prepare()
    {
    }

    public override void Run(IReadOnlyList<Work> batch, CancellationToken cancellationToken)
    {
        using var blank = new Image(height, width, segmenter.Info.InputChannels);
        segmenter.Segment([.. Enumerable.Repeat(blank, pictures)], cancellationToken: cancellationToken);
    }

    public override void Release(bool delivered)
    {
    }
}
