using Atrous.Imaging;
using Atrous.Postprocessing;
using Atrous.Preprocessing;
using Atrous.Scoring;
using PixelLabels = (Atrous.Postprocessing.LabelArray Labels, float[] Confidence, ulong[] Members);

namespace Atrous;

/// <content>Pictures of which windows are read, and which may say that there is nothing in some places.</content>
public sealed partial class Segmenter
{
    /// <summary>
    /// The label that stands for no data in the masks of such pictures: none of the classes, and the largest number of
    /// as few bits as possible.
    /// </summary>
    internal int NoDataLabel => Info.Classes <= byte.MaxValue ? byte.MaxValue : ushort.MaxValue;

    /// <summary>What a picture's channels have to be for the network to see nothing.</summary>
    internal float[] Nothing(int channels) => ChannelOrders.Nothing(_description.Preprocessing, channels);

    /// <summary>
    /// The labels of a picture that is not held whole, from the top to the bottom. Only with a window
    /// (<see cref="SegmenterOptions.Window"/>).
    /// </summary>
    internal SegmentationTimings Segment(IWindowSource photo, TakeRows take, CancellationToken cancellationToken)
    {
        SlidingScorer sliding = _masks.Sliding ?? throw new InvalidOperationException("There is no window to slide.");
        return Guard(photo.Height, photo.Width, () =>
        {
            var run = new RunContext(null, cancellationToken);
            bool[] missing = [];
            ushort[] marked = [];
            sliding.Segment(photo, confidence: false, run, (top, labels, confidence, members) =>
            {
                if (photo.MayLackPixels)
                {
                    Array.Resize(ref missing, labels.Length);
                    Array.Resize(ref marked, labels.Length);
                    labels.CopyTo(marked);
                    photo.FindMissing(top, missing);
                    for (int i = 0; i < marked.Length; i++)
                        marked[i] = missing[i] ? (ushort)NoDataLabel : marked[i];
                    labels = marked;
                }
                take(top, labels, confidence, members);
            });
            return run.TimingsOf(1);
        });
    }

    /// <summary>
    /// As <see cref="Segment(Image, bool, CancellationToken)"/>, of a picture that can be held whole, and of whose
    /// pixels some may lack data.
    /// </summary>
    /// <inheritdoc cref="Segment(Image, bool, CancellationToken)" path="/exception"/>
    internal Segmentation Segment(
        IWindowSource photo, Image whole, bool confidence, CancellationToken cancellationToken)
    {
        (int height, int width) = (photo.Height, photo.Width);
        return Guard(height, width, () =>
        {
            var run = new RunContext(null, cancellationToken);
            PixelLabels mask = _masks.Labels([whole], confidence, run)[0];
            Segmentation made = Made(height, width, mask, run.TimingsOf(1), run.Notes.GetValueOrDefault(0));
            if (!photo.MayLackPixels)
                return made;
            bool[] missing = new bool[height * width];
            photo.FindMissing(0, missing);
            return made.Without(missing, NoDataLabel);
        });
    }
}
