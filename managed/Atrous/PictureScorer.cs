using System.Diagnostics;
using Atrous.Imaging;
using Atrous.Models;
using Atrous.Postprocessing;
using Atrous.Preprocessing;
using Atrous.Scoring;
using Atrous.Tensors;

namespace Atrous;

/// <summary>Pictures of one size through pre-processing and network; averaged over scales and mirror images where asked for.</summary>
internal sealed class PictureScorer(
    Model model, Preprocessor preprocessor, NetworkCache networks, TestTimeAugmentation? augmentation)
{
    /// <summary>Labels cannot come from the network itself: they are made from averaged scores.</summary>
    public bool Averages => augmentation is not null;

    /// <summary>What <see cref="Scores"/> gives.</summary>
    public CrfScores Form => augmentation is not null || model.Description.Network.SoftmaxBeforeResize
        ? CrfScores.Probabilities : CrfScores.Logits;

    /// <summary>What one run of the network gives, at the pictures' size. The caller disposes the tensors.</summary>
    /// <param name="photos">Of equal size.</param>
    /// <param name="wanted">The outputs.</param>
    /// <param name="preprocessing">Runs while pictures are prepared.</param>
    /// <param name="cancellation">Looked at between two layers.</param>
    /// <param name="scale">On the size that the network sees otherwise.</param>
    public Tensor[] Run(
        Image[] photos, Wanted wanted, Stopwatch preprocessing, CancellationToken cancellation, double scale = 1)
    {
        PreprocessingPlan plan = preprocessor.PlanOf(photos[0], scale);
        var shape = new Shape(photos.Length, plan.Height, plan.Width, model.Description.Network.InputChannels);
        CompiledNetwork network = networks.Get(new NetworkKey(shape, plan.Window, photos[0].Height, photos[0].Width, wanted));
        preprocessing.Start();
        using NetworkInput input = preprocessor.Prepare(scale, photos);
        preprocessing.Stop();
        return network.Run(input.Tensor, cancellation);
    }

    /// <summary>The scores of every pixel, of the given <see cref="Form"/>. The caller disposes the tensor.</summary>
    /// <inheritdoc cref="Run" path="/param"/>
    public Tensor Scores(Image[] photos, Stopwatch preprocessing, CancellationToken cancellation) => augmentation is null
        ? Run(photos, Wanted.Scores, preprocessing, cancellation)[0]
        : Mean(augmentation, photos, preprocessing, cancellation);

    private Tensor Mean(
        TestTimeAugmentation passes, Image[] photos, Stopwatch preprocessing, CancellationToken cancellation)
    {
        int classes = model.Description.Network.Classes;
        var mean = new Tensor(new Shape(photos.Length, photos[0].Height, photos[0].Width, classes));
        Image[] mirrored = [];
        try
        {
            ScoreArithmetic.Clear(mean);
            if (passes.Flip)
                mirrored = [.. photos.Select(photo => photo.Mirrored())];
            foreach (double scale in passes.Scales)
            {
                Add(photos, scale, isMirrored: false);
                if (passes.Flip)
                    Add(mirrored, scale, isMirrored: true);
            }
            return mean;
        }
        catch
        {
            mean.Dispose();
            throw;
        }
        finally
        {
            foreach (Image image in mirrored)
                image.Dispose();
        }

        void Add(Image[] pictures, double scale, bool isMirrored)
        {
            using Tensor scores = Run(pictures, Wanted.Probabilities, preprocessing, cancellation, scale)[0];
            ScoreArithmetic.AddPictures(scores, mean, 1f / passes.Passes, isMirrored);
        }
    }
}
