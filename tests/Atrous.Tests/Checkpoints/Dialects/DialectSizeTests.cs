using Atrous.Backends;
using Atrous.Backends.Cpu;
using Atrous.Checkpoints.Dialects;
using Atrous.Graph;
using Atrous.Models;
using Atrous.Tensors;
using Atrous.Tests.Models;
using Atrous.Tests.Support;

namespace Atrous.Tests.Checkpoints.Dialects;

/// <summary>Pictures of any height and width, whatever the original's own forward demands.</summary>
public sealed class DialectSizeTests
{
    private static readonly string[] Manifests =
    [
        "smp_deeplabv3_r50_1class", "smp_deeplabv3plus_r50_1class", "mmseg_deeplabv3plus_r50-d8_cityscapes",
        "detectron2_deeplabv3plus_R103_cityscapes", "kazuto_deeplabv2_r101_msc_voc", "hf_mobilenetv2_deeplabv3_voc",
        "denseaspp_121", "denseaspp_mobilenet",
    ];

    public static TheoryData<string, int, int> Pictures =>
    [
        .. from manifest in Manifests
           from size in ((int, int)[])[(31, 47), (96, 97), (130, 257)]
           select new TheoryDataRow<string, int, int>(manifest, size.Item1, size.Item2),
    ];

    [Theory]
    [MemberData(nameof(Pictures))]
    public void The_scores_have_the_picture_s_size(string manifest, int height, int width)
    {
        using var checkpoint = new NamedWeights(NamedWeights.Manifest(manifest));
        var model = new Model(Dialect.Describe(checkpoint, null, new DialectChoice()), checkpoint);
        var graph = new GraphBuilder();
        NetworkOutputs outputs = model.Build(graph, graph.Input("image", new Shape(1, height, width, 3)));
        Assert.Equal(new Shape(1, height, width, model.Description.Network.Classes), outputs.AtInputSize.Shape);
        Assert.Equal(
            new Shape(1, 50, 60, model.Description.Network.Classes), model.ScoresAt(graph, outputs, 50, 60).Shape);
    }

    [Fact]
    public void Detectron2_s_enlarged_logits_are_cropped_to_the_picture()
    {
        Golden golden = Golden.Load("detectron2_deeplabv3plus_R103_os16_poolglobal_97x129");
        using var checkpoint = new GeneratedCheckpoint(golden);
        var model = new Model(GoldenNetworks.Describe(golden, checkpoint), checkpoint);
        var graph = new GraphBuilder();
        Value scores = model.Build(graph, graph.Input("image", golden.InputShape)).AtInputSize;
        using var backend = new CpuBackend();
        using IExecutable executable = backend.Compile(graph.Build(scores));
        using Tensor input = golden.Input(), output = new(scores.Shape);
        executable.Run([input], [output]);
        float[] forward = golden.Output().ToNhwc();
        Shape enlarged = golden.Output().Nhwc, cropped = scores.Shape;
        Assert.Equal((100, 132, 97, 129), (enlarged.Height, enlarged.Width, cropped.Height, cropped.Width));
        float[] expected =
        [
            .. Enumerable.Range(0, cropped.Height).SelectMany(
                row => forward.Skip(row * enlarged.Width * enlarged.Channels).Take(cropped.Width * cropped.Channels)),
        ];
        Tolerance.AssertWithin(Tolerance.Network, output.Image<float>(0), expected, "the crop", golden.OutputStd);
    }
}
