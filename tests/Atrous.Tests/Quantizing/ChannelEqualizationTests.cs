using Atrous.Backends.Cpu;
using Atrous.Catalog;
using Atrous.Checkpoints.Containers;
using Atrous.Checkpoints.Dialects;
using Atrous.Exporting;
using Atrous.Graph;
using Atrous.Graph.Ops;
using Atrous.Imaging;
using Atrous.Models;
using Atrous.Preprocessing;
using Atrous.Quantizing;
using Atrous.Tensors;
using Atrous.Tests.Exporting;
using Atrous.Tests.Support;

namespace Atrous.Tests.Quantizing;

/// <summary>Channels of different ranges made even: the same scores in float32, nearer ones in 8 bits.</summary>
public sealed class ChannelEqualizationTests(ITestOutputHelper output) : IDisposable
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("atrous-equalized-");

    public void Dispose() => _folder.Delete(recursive: true);

    /// <summary>Factors are powers of two, so that no product and no sum is rounded otherwise.</summary>
    [Theory]
    [InlineData("")]
    [InlineData("vainf_deeplabv3plus_mobilenet_os16_97x129")]
    [InlineData("arronhzg_resnet50_os16_97x129")]
    [InlineData("denseaspp_mobile_os16_96x128")]
    [InlineData("smp_deeplabv3plus_timm-regnety_016_os16_96x128")]
    public void In_float32_the_scores_keep_every_bit(string golden)
    {
        using var model = new Folded(golden, _folder);
        Image[] pictures = [.. model.Pictures(3)];
        IReadOnlyList<ChannelEqualization> offers = model.Offers(pictures[..2]);
        Assert.NotEmpty(offers);
        foreach (ChannelEqualization offer in offers)
        {
            output.WriteLine($"{offer.Made.Count} made, {offer.Read.Count} read");
            Assert.All(offer.Made.Values, factors => Assert.Contains(factors, factor => factor > 1));
            Model equalized = EqualizedWeights.In(model.Source, offer);
            foreach (Image picture in pictures[..2])
                Assert.Equal(model.Scores(model.Source.Model, picture), model.Scores(equalized, picture));
        }
    }

    /// <summary>
    /// Channels of a network are divided by up to 128 and their readers multiplied: the same network, which 8 bits
    /// nearly destroy where each value has one step.
    /// </summary>
    [Theory]
    [InlineData("", false)]
    [InlineData("vainf_deeplabv3plus_mobilenet_os16_97x129", true)]
    public void A_network_of_uneven_channels_gains_much(string golden, bool isDepthwise)
    {
        using var model = new Folded(golden, _folder);
        string[] pictures = [.. model.Pictures(6).Select((picture, i) =>
        {
            string path = Path.Combine(_folder.FullName, $"{i}.png");
            picture.SavePng(path);
            return path;
        })];
        string uneven = Path.Combine(_folder.FullName, "uneven.safetensors");
        model.WriteUneven(uneven, isDepthwise);
        string plain = Path.Combine(_folder.FullName, "plain.safetensors");
        Image[] photos = [.. pictures.Select(path => Image.Load(path))];
        QuickQuantization.Write(uneven, plain, photos);
        double before = Agreement(uneven, plain, photos);

        string equalized = Path.Combine(_folder.FullName, "equalized.safetensors");
        QuantizationReport report = Quantizer.Quantize(
            uneven, equalized, pictures, null, new QuantizeOptions { Agreement = 0 });
        double after = Agreement(uneven, equalized, photos);
        output.WriteLine($"agreement {before:P2}, equalised {after:P2}; {report.Facts}");
        Assert.True(report.Facts.EqualizedLayers > 5);
        Assert.Equal(report.Facts, ModelInfo.Read(equalized).Quantization);
        Assert.InRange(after, 0.9, 1);
        Assert.InRange(1 - after, 0, (1 - before) / 3);
    }

    private static double Agreement(string exact, string bytes, Image[] photos)
    {
        using Segmenter one = Segmenter.Load(exact, new() { Device = "cpu" });
        using Segmenter other = Segmenter.Load(bytes, new() { Device = "cpu" });
        Assert.Equal((Precision.Fp32, Precision.Int8), (one.Precision, other.Precision));
        return photos.Average(photo =>
        {
            ushort[] expected = one.Segment(photo).Labels.ToArray(), actual = other.Segment(photo).Labels.ToArray();
            return expected.Zip(actual).Count(pair => pair.First == pair.Second) / (double)expected.Length;
        });
    }

    /// <summary>A model of folded norms: the one in the box, or a golden's.</summary>
    private sealed class Folded : IDisposable
    {
        private readonly ExportFolder? _folder;
        private readonly CpuBackend _backend;
        private readonly Preprocessor _preprocessor;

        public Folded(string golden, DirectoryInfo folder)
        {
            _folder = golden.Length > 0 ? new ExportFolder(golden) : null;
            string path = Path.Combine(folder.FullName, "folded.safetensors");
            ModelConverter.Convert(
                _folder?.Model ?? DefaultModel.Path, path, _folder?.Options,
                new ConvertOptions { FoldBatchNorm = true });
            _backend = new CpuBackend(2);
            Source = ModelSource.Open(path);
            _preprocessor = new Preprocessor(
                Source.Description.Preprocessing, _backend.Engine, Source.Model.MinimumSide);
        }

        public ModelSource Source { get; }

        public void Dispose()
        {
            Source.Dispose();
            _preprocessor.Dispose();
            _backend.Dispose();
            _folder?.Dispose();
        }

        public IEnumerable<Image> Pictures(int count)
        {
            for (int i = 0; i < count; i++)
            {
                if (_folder is null)
                {
                    using Image street = Image.Load(Repository.PathOf("samples/street.png"));
                    yield return street.Crop(140 * i, 190 * i, 240, 320);
                }
                else
                {
                    Shape shape = _folder.Golden.InputShape;
                    var picture = new Image(shape.Height, shape.Width, shape.Channels);
                    new Random(i).NextBytes(picture.Pixels);
                    yield return picture;
                }
            }
        }

        public IReadOnlyList<ChannelEqualization> Offers(IEnumerable<Image> pictures)
        {
            var network = new Quantizable(Source.Model);
            var calibration = new Calibration(Source.Model, _backend, _preprocessor);
            foreach (Image picture in pictures)
                calibration.Measure(picture, TestContext.Current.CancellationToken);
            return ChannelEqualization.Offers(network.Graph, network.Kernels, calibration.Statistics);
        }

        public float[] Scores(Model model, Image picture)
        {
            using NetworkInput input = _preprocessor.Prepare(picture);
            var builder = new GraphBuilder();
            NetworkGraph graph =
                builder.Build(model.Build(builder, builder.Input("image", input.Tensor.Shape)).Logits);
            using var network = (CpuExecutable)_backend.Compile(graph);
            using var scores = new Tensor(graph.Outputs[0].Shape);
            network.Run([input.Tensor], [scores], TestContext.Current.CancellationToken);
            return Support.Layout.Values(scores);
        }

        /// <summary>Divides the channels between two convolutions, of which one is depthwise or none is.</summary>
        public void WriteUneven(string path, bool isDepthwise)
        {
            NetworkGraph graph = new Quantizable(Source.Model).Graph;
            IReadOnlyDictionary<Value, Node> makers = graph.Makers();
            ILookup<Value, Node> readers = graph.Readers();
            var made = new Dictionary<string, float[]>();
            var read = new Dictionary<string, float[]>();
            var random = new Random(1);
            foreach (Node node in graph.Nodes)
            {
                if (node.Op is not Conv2d reader || readers[node.Inputs[0]].Count() != 1
                    || !makers.TryGetValue(node.Inputs[0], out Node? maker)
                    || maker is not { Op: Conv2d conv, Inputs.Count: 1 }
                    || (conv.Groups > 1 || reader.Groups > 1) != isDepthwise)
                {
                    continue;
                }
                float[] factors =
                    [.. Enumerable.Range(0, conv.OutChannels).Select(_ => MathF.ScaleB(1, -random.Next(8)))];
                made.Add(conv.Kernel.Name, factors);
                read.Add(reader.Kernel.Name, factors);
            }
            var weights = new EqualizedWeights(Source.Weights, new ChannelEqualization(made, read));
            using var writer = new SafetensorsWriter(
                path, [.. weights.Weights.Values], SelfDescribingFile.Metadata(Source.Description));
            foreach (WeightInfo info in weights.Weights.Values)
                writer.Write(info.Name, new Weight(weights, info).ToArray());
            writer.Complete();
        }
    }
}
