using Atrous.Backends.Reference;
using Atrous.Graph;
using Atrous.Graph.Ops;
using Atrous.Imaging;
using Atrous.Postprocessing;
using Atrous.Preprocessing;
using Atrous.Tensors;
using Atrous.Tests.Support;

namespace Atrous.Tests.Segmenters;

/// <summary>
/// What comes after the logits: the CRF as a step, and letterboxed models whose probabilities are resized back.
/// </summary>
public sealed class PostprocessingTests(GeneratedModel model)
{
    [Fact]
    public void The_crf_refines_the_logits_at_the_picture_s_size()
    {
        using Image photo = Photo(97, 129);
        using Segmenter plain = Segmenter.Load(model.Path);
        using Segmenter refined =
            Segmenter.Load(model.Path, new SegmenterOptions { Crf = DenseCrfParameters.PyDenseCrf });
        using var preprocessor = new Preprocessor(plain.Info.Preprocessing);
        using NetworkInput input = preprocessor.Prepare(photo);
        using NetworkResult logits = plain.Infer(input.Tensor);
        ushort[] expected = DenseCrfParameters.PyDenseCrf.Refine(photo, logits.Output, CrfScores.Logits);
        Segmentation result = refined.Segment(photo, confidence: true);
        Assert.Equal(expected, result.Labels.ToArray());
        Assert.NotEqual(plain.Segment(photo).Labels.ToArray(), expected);
        foreach (float confidence in result.Confidence)
            Assert.InRange(confidence, 1f / result.Classes - 1e-6f, 1f + 1e-6f);
    }

    [Fact]
    public void A_letterboxed_model_resizes_the_window_s_probabilities()
    {
        Golden golden = Golden.Load("bubbliiiing_mobilenet_os16_97x129");
        string path = Path.Combine(Directory.CreateTempSubdirectory("atrous-tests-").FullName, "letterbox.safetensors");
        try
        {
            GeneratedModel.Write(golden, path);
            using Segmenter segmenter = Segmenter.Load(path);
            using Image photo = Photo(61, 150);
            using var preprocessor = new Preprocessor(segmenter.Info.Preprocessing);
            using NetworkInput input = preprocessor.Prepare(photo);
            using NetworkResult logits = segmenter.Infer(input.Tensor);
            PictureWindow window = input.Plan.Window;
            Assert.NotEqual(input.Plan.Height, window.Height);

            var graph = new GraphBuilder();
            Value x = graph.Add("softmax", new Softmax(), graph.Input("logits", logits.Output.Shape));
            x = graph.Add("crop", new Crop(window.Top, window.Left, window.Height, window.Width), x);
            Value probabilities =
                graph.Add("resize", new ResizeBilinear(photo.Height, photo.Width, Sampling.HalfPixel), x);
            x = graph.Add("labels", new Argmax(), probabilities);
            using var labels = new Tensor(x.Shape, DType.UInt16);
            using var reference = new ReferenceBackend();
            using var resized = new Tensor(probabilities.Shape);
            reference.Compile(graph.Build(x, probabilities)).Run([logits.Output], [labels, resized]);

            Segmentation result = segmenter.Segment(photo, confidence: true);
            ushort[] expected = labels.Image<ushort>(0).ToArray(), actual = result.Labels.ToArray();
            int equal = expected.Zip(actual).Count(pair => pair.First == pair.Second);
            // Ties and near-ties may fall either way in single precision.
            Assert.True(equal >= 0.999 * expected.Length, $"{equal} of {expected.Length} labels agree");
            // Probability of the mean logit against mean of the probabilities: near, not equal.
            float[] chances = resized.Image<float>(0).ToArray();
            for (int i = 0; i < expected.Length; i++)
                Assert.Equal(chances[i * result.Classes + expected[i]], result.Confidence[i], 0.02f);
        }
        finally
        {
            Directory.Delete(Path.GetDirectoryName(path)!, recursive: true);
        }
    }

    private static Image Photo(int height, int width)
    {
        var image = new Image(height, width, 3);
        Span<byte> pixels = image.Pixels;
        var random = new Random(7);
        for (int i = 0; i < pixels.Length; i++)
        {
            int y = i / 3 / width, x = i / 3 % width;
            pixels[i] = (byte)((y / 16 + x / 16) % 2 * 120 + i % 3 * 40 + random.Next(20));
        }
        return image;
    }
}
