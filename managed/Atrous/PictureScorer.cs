using Atrous.Backends;
using Atrous.Imaging;
using Atrous.Models;
using Atrous.Postprocessing;
using Atrous.Preprocessing;
using Atrous.Scoring;
using Atrous.Specs;
using Atrous.Tensors;

namespace Atrous;

/// <summary>
/// Pictures of one size through pre-processing and network; averaged over scales and mirror images where asked for.
/// </summary>
internal sealed class PictureScorer(
    Model model, Preprocessor preprocessor, NetworkCache networks, TestTimeAugmentation? augmentation,
    SlideSpec? slide = null)
{
    private readonly Pass[] _passes = [.. PassesOf(augmentation)];

    /// <summary>Labels cannot come from the network itself: they are made from averaged scores.</summary>
    public bool Averages => augmentation is not null || slide is not null;

    /// <summary>The network's own labels are the mask: the best score of one run wins.</summary>
    public bool IsLabelledByNetwork =>
        !Averages && Decision is { Threshold: ScoreArithmetic.Half, MultiLabel: false };

    /// <summary>What <see cref="Scores"/> gives, and what is asked of it.</summary>
    public Decision Decision => new(
        augmentation is not null || model.Description.Network.SoftmaxBeforeResize
            ? CrfScores.Probabilities : CrfScores.Logits,
        model.Description.Threshold ?? ScoreArithmetic.Half, model.Description.MultiLabel);

    /// <summary>What one run of the network gives, at the pictures' size. The caller disposes the tensors.</summary>
    /// <param name="photos">The pictures, all of one size.</param>
    /// <param name="wanted">What the network's outputs are.</param>
    /// <param name="run">The call that this is part of.</param>
    /// <param name="scale">On the size that the network sees otherwise.</param>
    /// <param name="context">What image pooling gives instead of its own; null for its own.</param>
    /// <exception cref="ScoreException">They are infinite or no numbers.</exception>
    public Tensor[] Run(Image[] photos, Wanted wanted, RunContext run, double scale = 1, float[]? context = null) =>
        Checked(RunUnchecked(photos, wanted, run, scale, context));

    private Tensor[] RunUnchecked(Image[] photos, Wanted wanted, RunContext run, double scale, float[]? context)
    {
        PreprocessingPlan plan = preprocessor.PlanOf(photos[0], scale);
        NetworkKey key = KeyOf(photos, plan, wanted) with { TakesContext = context is not null };
        using Tensor? contexts = context is null ? null : Repeat(context, photos.Length);
        if (GoAsTheyAre(photos))
        {
            return OnDevice(photos, plan, key, run, (network, sources) =>
                network.Run(sources, contexts, run.Times, run.CancellationToken));
        }
        CompiledNetwork network = networks.Get(key);
        using NetworkInput input = run.Preprocess(() => preprocessor.Prepare(plan, photos));
        return network.Run(input.Tensor, contexts, run.Times, run.CancellationToken);
    }

    /// <summary>The label of every pixel, and its confidence where that is wanted, as the network gives them.</summary>
    /// <param name="photos">The pictures, all of one size.</param>
    /// <param name="wanted">Labels, with or without confidences.</param>
    /// <param name="run">The call that this is part of.</param>
    public (LabelArray Labels, float[] Confidence)[] Labels(Image[] photos, Wanted wanted, RunContext run)
    {
        if (GoAsTheyAre(photos))
        {
            PreprocessingPlan plan = preprocessor.PlanOf(photos[0], scale: 1);
            PictureMask[] masks = OnDevice(photos, plan, KeyOf(photos, plan, wanted), run, (network, sources) =>
                network.Masks(sources, run.CancellationToken));
            return
            [
                .. masks.Select(mask => (
                    mask.Labels is byte[] bytes ? new LabelArray(bytes) : new LabelArray((ushort[])mask.Labels),
                    mask.Confidence)),
            ];
        }
        Tensor[] outputs = Run(photos, wanted, run);
        try
        {
            return
            [
                .. photos.Select((_, i) => (
                    new LabelArray(outputs[0].Image<ushort>(i).ToArray()),
                    outputs.Length > 1 ? outputs[1].Image<float>(i).ToArray() : [])),
            ];
        }
        finally
        {
            foreach (Tensor output in outputs)
                output.Dispose();
        }
    }

    /// <summary>The labels of pictures of one size, however the model decides.</summary>
    /// <param name="photos">The pictures, all of one size.</param>
    /// <param name="confidence">Whether to compute also the probability of each label.</param>
    /// <param name="run">The call that this is part of.</param>
    public (LabelArray Labels, float[] Confidence, ulong[] Members)[] Masks(
        Image[] photos, bool confidence, RunContext run)
    {
        if (IsLabelledByNetwork)
        {
            Wanted wanted = confidence ? Wanted.LabelsAndConfidence : Wanted.Labels;
            return
            [
                .. Labels(photos, wanted, run)
                    .Select(mask => (mask.Labels, mask.Confidence, Array.Empty<ulong>())),
            ];
        }
        using Tensor scores = Scores(photos, run);
        return [.. photos.Select((_, i) => FromScores(scores, i, confidence))];
    }

    private (LabelArray Labels, float[] Confidence, ulong[] Members) FromScores(
        Tensor scores, int index, bool confidence)
    {
        (_, int height, int width, int classes) = scores.Shape;
        var labels = new ushort[height * width];
        float[] certain = confidence ? new float[labels.Length] : [];
        ulong[] members = Decision.MultiLabel ? new ulong[labels.Length] : [];
        for (int y = 0; y < height; y++)
        {
            Range row = (y * width)..((y + 1) * width);
            ScoreArithmetic.Winners(
                scores.Row(index, y), classes, Decision, labels.AsSpan(row),
                confidence ? certain.AsSpan(row) : [], members.Length > 0 ? members.AsSpan(row) : []);
        }
        return (labels, certain, members);
    }

    /// <summary>To a device that takes pictures of bytes; all others are normalised here.</summary>
    private bool GoAsTheyAre(Image[] photos) =>
        networks.TakesPictures && Array.TrueForAll(photos, photo => !photo.IsDeep);

    /// <summary>Labels a picture that lies in the device's memory, into its memory.</summary>
    /// <param name="pixels">Where the picture's rows lie.</param>
    /// <param name="height">How many there are.</param>
    /// <param name="width">The number of pixels of a row.</param>
    /// <param name="format">The bytes of a pixel.</param>
    /// <param name="labels">Where the labels go.</param>
    /// <param name="stream">What is in it comes first.</param>
    /// <param name="cancellationToken">Is looked at before and after the device's work.</param>
    /// <exception cref="ImageException">Such a picture does not suit the network.</exception>
    public void LabelOnDevice(
        PictureRows pixels, int height, int width, PixelFormat format, nint labels, nint stream,
        CancellationToken cancellationToken)
    {
        int[] order = ChannelOrders.For(preprocessor.Spec, format)
            ?? throw new ImageException(
                "The network takes grey pictures, which a GPU does not make of colours; give it one channel.");
        PreprocessingPlan plan = preprocessor.PlanOf(height, width);
        var key = new NetworkKey(
            new Shape(1, plan.Height, plan.Width, model.Description.Network.InputChannels), plan.Window, height, width,
            Wanted.Labels, PictureFormat: format, OnDevice: true);
        PictureSource picture = PictureSources.Of(preprocessor, plan, (height, width, format.Channels()), order);
        networks.Get(key, picture).LabelOnDevice(pixels, labels, stream, cancellationToken);
    }

    /// <summary>
    /// The scores of every pixel, of the form of <see cref="Decision"/>. The caller disposes the tensor.
    /// </summary>
    /// <param name="photos">The pictures, all of one size.</param>
    /// <param name="run">The call that this is part of.</param>
    /// <param name="contexts">
    /// The context of the picture that these are parts of, one per pass; null for their own.
    /// </param>
    public Tensor Scores(Image[] photos, RunContext run, float[][]? contexts = null)
    {
        if (augmentation is null)
            return slide is null ? Run(photos, Wanted.Scores, run, context: contexts?[0])[0]
                : Slide(slide, photos, run);
        var mean =
            new Tensor(new Shape(photos.Length, photos[0].Height, photos[0].Width, model.Description.ScoredClasses));
        try
        {
            ScoreArithmetic.Clear(mean);
            for (int i = 0; i < _passes.Length; i++)
            {
                (double scale, bool mirrored) = _passes[i];
                using var pictures = new Mirrorable(photos, mirrored);
                using Tensor scores = Probabilities(pictures.Images, run, scale, contexts?[i]);
                ScoreArithmetic.AddPictures(scores, mean, 1f / _passes.Length, mirrored);
            }
            return mean;
        }
        catch
        {
            mean.Dispose();
            throw;
        }
    }

    /// <summary>
    /// Every class's probability for every pixel, whatever the form of <see cref="Decision"/>. The caller disposes it.
    /// </summary>
    /// <inheritdoc cref="Scores" path="/param"/>
    public Tensor Probabilities(Image[] photos, RunContext run) =>
        augmentation is not null ? Scores(photos, run) : Probabilities(photos, run, scale: 1, context: null);

    private Tensor Probabilities(Image[] photos, RunContext run, double scale, float[]? context)
    {
        if (slide is null)
            return Run(photos, Wanted.Probabilities, run, scale, context)[0];
        Tensor scores = Slide(slide, photos, run, scale);
        if (model.Description.MultiLabel)
            ScoreArithmetic.Sigmoid(scores);
        else
            ScoreArithmetic.Softmax(scores);
        return scores;
    }

    /// <summary>
    /// The mean of the logits of windows over what the network sees of the pictures, at the pictures' size. The caller
    /// disposes it.
    /// </summary>
    private Tensor Slide(SlideSpec window, Image[] photos, RunContext run, double scale = 1)
    {
        PreprocessingPlan plan = preprocessor.PlanOf(photos[0], scale);
        using NetworkInput input = run.Preprocess(() => preprocessor.Prepare(plan, photos));
        Tensor scores = Slide(window, input.Tensor, run);
        if (plan.Height == photos[0].Height && plan.Width == photos[0].Width)
            return scores;
        using (scores)
            return networks.Resize(scores, photos[0].Height, photos[0].Width, run.CancellationToken);
    }

    private Tensor Slide(SlideSpec window, Tensor input, RunContext run)
    {
        (int batch, int height, int width, int channels) = input.Shape;
        WindowAxis rows = new(height, window.Height, window.StrideHeight);
        WindowAxis columns = new(width, window.Width, window.StrideWidth);
        var shape = new Shape(batch, rows.Size, columns.Size, channels);
        var key = new NetworkKey(
            shape, new PictureWindow(0, 0, rows.Size, columns.Size), rows.Size, columns.Size, Wanted.Scores, false);
        CompiledNetwork network = networks.Get(key);
        var mean = new Tensor(new Shape(batch, height, width, model.Description.ScoredClasses));
        try
        {
            ScoreArithmetic.Clear(mean);
            using var part = new Tensor(shape);
            for (int i = 0; i < rows.Starts.Count; i++)
            {
                for (int j = 0; j < columns.Starts.Count; j++)
                {
                    ScoreArithmetic.Crop(input, part, rows.Starts[i], columns.Starts[j]);
                    Tensor[] scores = Checked(network.Run(part, null, run.Times, run.CancellationToken));
                    using (scores[0])
                    {
                        ScoreArithmetic.AddWindow(
                            scores[0], mean, rows.Starts[i], columns.Starts[j], rows.Weights(i), columns.Weights(j));
                    }
                }
            }
            return mean;
        }
        catch
        {
            mean.Dispose();
            throw;
        }
    }

    /// <summary>The network has an image pooling that parts of a picture can be given the result of.</summary>
    public bool HasContext => ImageContext.Exists(model.Description.Network);

    /// <summary>One empty context per pass.</summary>
    public PooledContext[] NewContexts() => [.. _passes.Select(_ => new PooledContext())];

    /// <summary>Adds a part of a picture to the contexts.</summary>
    /// <param name="photo">The part, as large as rows and columns say.</param>
    /// <param name="rows">A weight per row.</param>
    /// <param name="columns">A weight per column.</param>
    /// <param name="contexts">What the parts are added to, one per pass.</param>
    /// <param name="run">The call that this is part of.</param>
    public void AddTo(
        PooledContext[] contexts, Image photo, ReadOnlySpan<float> rows, ReadOnlySpan<float> columns, RunContext run)
    {
        for (int i = 0; i < _passes.Length; i++)
        {
            (double scale, bool mirrored) = _passes[i];
            using var pictures = new Mirrorable([photo], mirrored);
            using Tensor features = Run(pictures.Images, Wanted.Features, run, scale)[0];
            contexts[i].Add(features, rows, columns, mirrored);
        }
    }

    /// <summary>The device resizes and normalises; what it cannot, becoming grey, is done here.</summary>
    private T OnDevice<T>(
        Image[] photos, PreprocessingPlan plan, NetworkKey key, RunContext run, Func<CompiledNetwork, Image[], T> made)
    {
        int[]? order = ChannelOrders.For(preprocessor.Spec, photos[0].Format);
        Image[] sources = order is null
            ? run.Preprocess<Image[]>(() => [.. photos.Select(photo => photo.WithChannels(1))]) : photos;
        try
        {
            PictureSource picture = PictureSources.Of(
                preprocessor, plan, (sources[0].Height, sources[0].Width, sources[0].Channels), order ?? [0]);
            CompiledNetwork network = networks.Get(key with { PictureFormat = sources[0].Format }, picture);
            return made(network, sources);
        }
        finally
        {
            foreach (Image grey in order is null ? sources : [])
                grey.Dispose();
        }
    }

    /// <summary>The tensors, none of whose numbers has overflowed; labels are checked where they are made.</summary>
    private static unsafe Tensor[] Checked(Tensor[] outputs)
    {
        foreach (Tensor output in outputs)
        {
            for (int i = 0; output.Type == DType.Float32 && i < output.Shape.Batch; i++)
            {
                if (!FiniteNumbers.Overflow(output.Image<float>(i)))
                    continue;
                Array.ForEach(outputs, tensor => tensor.Dispose());
                throw new ScoreException();
            }
        }
        return outputs;
    }

    private NetworkKey KeyOf(Image[] photos, PreprocessingPlan plan, Wanted wanted) => new(
        new Shape(photos.Length, plan.Height, plan.Width, model.Description.Network.InputChannels), plan.Window,
        photos[0].Height, photos[0].Width, wanted);

    /// <summary>One look at a picture.</summary>
    private sealed record Pass(double Scale, bool Mirrored);

    private static IEnumerable<Pass> PassesOf(TestTimeAugmentation? augmentation)
    {
        foreach (double scale in augmentation?.Scales ?? [1])
        {
            yield return new(scale, Mirrored: false);
            if (augmentation is { Flip: true })
                yield return new(scale, Mirrored: true);
        }
    }

    private static Tensor Repeat(float[] context, int times)
    {
        var contexts = new Tensor(new Shape(times, 1, 1, context.Length));
        for (int i = 0; i < times; i++)
            context.CopyTo(contexts.Image<float>(i));
        return contexts;
    }

    /// <summary>The pictures themselves, or their mirror images.</summary>
    private readonly ref struct Mirrorable(Image[] photos, bool mirrored) : IDisposable
    {
        public Image[] Images { get; } = mirrored ? [.. photos.Select(photo => photo.Mirrored())] : photos;

        public void Dispose()
        {
            foreach (Image image in mirrored ? Images : [])
                image.Dispose();
        }
    }
}
