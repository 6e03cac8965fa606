using Atrous.Backends.Cuda;
using Atrous.Cuda.Tests.Support;
using Atrous.Graph;
using Atrous.Graph.Ops;
using Atrous.Imaging;
using Atrous.ManagedCuda;
using Atrous.Tests.Segmenters;
using Atrous.Tests.Support;

namespace Atrous.Cuda.Tests.Networks;

/// <summary>
/// A network whose scores are larger than float16's numbers is refused there, and has its mask elsewhere.
/// </summary>
public sealed class OverflowTests : IDisposable
{
    private const int Height = 49, Width = 65;

    private readonly string _path =
        Path.Combine(Path.GetTempPath(), $"atrous-{Guid.NewGuid():n}.safetensors");

    public OverflowTests() => GeneratedModel.WriteEnlarged(_path, 3000);

    public void Dispose() => File.Delete(_path);

    [Fact]
    public void Fp16_is_refused_in_a_sentence_that_names_what_is_larger()
    {
        byte[] bytes = new byte[Height * Width * 3];
        new Random(5).NextBytes(bytes);
        using Image photo = Image.FromPixels(bytes, Height, Width, PixelFormat.Rgb);
        using Segmenter half = Load(Precision.Fp16), bfloat = Load(Precision.Bf16), single = Load(Precision.Fp32);
        // Step by step, captured, and again.
        for (int run = 0; run < 3; run++)
        {
            Assert.StartsWith(
                "The network's scores overflow fp16, whose largest number is 65,504,",
                Assert.Throws<ScoreException>(() => half.Segment(photo, confidence: run == 1)).Message);
        }
        Assert.Throws<ScoreException>(() => half.Segment([photo, photo]));
        Assert.Throws<ScoreException>(() => half.Probabilities(photo).Dispose());
        ushort[] expected = single.Segment(photo).Labels.ToArray(), seen = bfloat.Segment(photo).Labels.ToArray();
        Assert.InRange(expected.Zip(seen).Average(pair => pair.First == pair.Second ? 1 : 0), 0.98, 1);
    }

    [Fact]
    public void So_are_pictures_of_the_device_s_memory()
    {
        using Segmenter half = Load(Precision.Fp16);
        using var context = new PrimaryContext();
        using var pixels = new CudaDeviceVariable<byte>(context, Height * Width * 3);
        using var labels = new CudaDeviceVariable<byte>(context, Height * Width);
        byte[] bytes = new byte[Height * Width * 3];
        new Random(5).NextBytes(bytes);
        pixels.CopyToDevice(bytes);
        for (int run = 0; run < 3; run++)
        {
            Assert.Throws<ScoreException>(() => half.SegmentOnDevice(
                (nint)pixels.DevicePointer.Pointer, Height, Width, PixelFormat.Rgb, Width * 3,
                (nint)labels.DevicePointer.Pointer));
        }
    }

    [Fact]
    public void A_layer_in_the_middle_that_overflows_is_not_hidden_by_the_next_one_s_relu()
    {
        var builder = new GraphBuilder();
        Value x = builder.Input("x", new(1, 6, 5, 8));
        // Sums of 80,000 of both signs, of which infinity minus infinity is made.
        Value large = builder.Add("large", Pointwise((row, _) => row % 2 == 0 ? 100 : -100, Activation.None), x);
        Value lost = builder.Add("lost", Pointwise((_, column) => column < 2 ? 1 : 0, Activation.Relu), large);
        Value scores = builder.Add("scores", Pointwise((_, _) => 1, Activation.None), lost);
        NetworkGraph graph = builder.Build(builder.Add("labels", new Argmax(), scores));
        using CudaBackend half = AllBackends.Open(Precision.Fp16), single = AllBackends.Open(Precision.Fp32);
        float[] input = Enumerable.Repeat(100f, (int)x.Shape.Elements).ToArray();
        Assert.All((ushort[])Running.Run(single, graph, input)[0], label => Assert.Equal(0, label));
        Assert.Throws<ScoreException>(() => Running.Run(half, graph, input));
    }

    private static Conv2d Pointwise(Func<int, int, float> weight, Activation activation) => new(
        new GivenWeights([.. Enumerable.Range(0, 64).Select(i => weight(i / 8, i % 8))]).Of(8, 8, 1, 1), null, null, 1,
        1, Padding.None, 1, activation);

    private Segmenter Load(Precision precision) =>
        Segmenter.Load(_path, new SegmenterOptions { Device = "cuda", Precision = precision });
}
