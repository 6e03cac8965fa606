using Atrous.Checkpoints.Dialects;
using Atrous.Graph.Ops;
using Atrous.Models;
using Atrous.Specs;
using Atrous.Tests.Support;

namespace Atrous.Tests.Checkpoints.Dialects;

/// <summary>AdaptSegNet, ADVENT, UniMatch, ST++ and Tramac: what their files leave open, and what is refused.</summary>
public sealed class ResearchDialectTests
{
    private const string Adapt = "adaptsegnet_deeplab_multi_resnet101_97x129", Vgg = "adaptsegnet_deeplab_vgg16_97x129";
    private const string UniMatch = "unimatch_resnet50_os8_97x129", Tramac = "tramac_deeplabv3_resnet101_97x129";
    private const string Third = "layer6.conv2d_list.2.weight";

    /// <summary>AdaptSegNet never trains the third branch, and ADVENT does, under the same names.</summary>
    [Theory]
    [InlineData(0.01, "2", 2, "the weights")]
    // That it is summed does not follow: a training may begin with another network's branches.
    [InlineData(0.0137, "4", 4, "assumed")]
    public void The_third_branch_tells_whether_it_was_trained(
        double deviation, string branches, int rates, string source)
    {
        using NamedWeights weights = Of(Adapt);
        var random = new Random(7);
        weights.Fill(Third, () => deviation * Math.Sqrt(-2 * Math.Log(1 - random.NextDouble()))
            * Math.Cos(2 * Math.PI * random.NextDouble()));
        ModelDescription model = Describe(weights);
        Switch row = Assert.Single(model.Switches, row => row.Name == "branches");
        Assert.Equal((branches, source), (row.Value, row.Source));
        Assert.Equal(rates, Rates(model).Count);
        (IReadOnlyList<string> missing, IReadOnlyList<string> unexpected) = Model.Compare(model, weights);
        Assert.Empty(missing);
        Assert.Empty(unexpected);
        string other = branches == "2" ? "4" : "2";
        Assert.Equal(6 - rates, Rates(Describe(weights, new() { ["branches"] = other })).Count);
    }

    [Fact]
    public void Pictures_are_prepared_as_by_its_own_script()
    {
        using NamedWeights weights = Of(Adapt, classes: 19), voc = Of(Vgg, classes: 21);
        PreprocessingSpec spec = Describe(weights).Preprocessing;
        Assert.Equal(
            (ChannelOrder.Bgr, 1f, 104.00699f, ResizeFilter.Bicubic),
            (spec.Order, spec.Scale, spec.Mean[0], spec.Filter));
        Assert.Equal(new ResizePolicy.Stretch(512, 1024), spec.Resize);
        Assert.Equal("road", Describe(weights).ClassNames[0]);
        Assert.Equal(new ResizePolicy.None(), Describe(voc).Preprocessing.Resize);
        Assert.Equal(Sampling.AlignCorners, Describe(weights).Network.FinalSampling);
    }

    /// <summary>
    /// Without the classifier for training (ADVENT's multi_level) and with one alone (Pytorch-Deeplab).
    /// </summary>
    [Fact]
    public void One_classifier_is_enough()
    {
        using NamedWeights single = new(Golden.Load(Adapt).Keys.Where(key => !key.Name.StartsWith("layer5."))),
            first = new(Golden.Load(Adapt).Keys.Where(key => !key.Name.StartsWith("layer5."))
                .Select(key => (key.Name.Replace("layer6.", "layer5.", StringComparison.Ordinal), key.Shape)));
        Assert.All(new[] { single, first }, weights =>
        {
            (IReadOnlyList<string> missing, IReadOnlyList<string> unexpected) =
                Model.Compare(Describe(weights), weights);
            Assert.Empty(missing);
            Assert.Empty(unexpected);
        });
    }

    /// <summary>CLAN adds the scores of two classifiers on the same features.</summary>
    [Fact]
    public void Two_classifiers_on_the_last_features_are_refused()
    {
        using NamedWeights weights = new(Golden.Load(Adapt).Keys.Select(key =>
            key.Name.StartsWith("layer5.", StringComparison.Ordinal) && key.Shape.Length == 4
                ? (key.Name, [key.Shape[0], 2048, 3, 3]) : key));
        Assert.Contains("two classifiers", Assert.Throws<ModelException>(() => Describe(weights)).Message);
    }

    [Fact]
    public void A_plain_stem_is_that_of_the_forerunner()
    {
        using NamedWeights deep = Of(UniMatch), plain = new(Golden.Load(UniMatch).Keys
            .Where(key => !key.Name.StartsWith("backbone.conv1."))
            .Select(key => key.Name switch
            {
                "backbone.layer1.0.conv1.weight" => (key.Name, [64, 64, 1, 1]),
                "backbone.layer1.0.downsample.0.weight" => (key.Name, [256, 64, 1, 1]),
                string name when name.StartsWith("backbone.bn1.", StringComparison.Ordinal)
                    && key.Shape.Length == 1 => (name, [64]),
                _ => key,
            }).Append(("backbone.conv1.weight", [64, 3, 7, 7])));
        Assert.Equal((16, "6,12,18"), Facts(Describe(deep)));
        Assert.Equal((8, "12,24,36"), Facts(Describe(plain)));
        Assert.Empty(Model.Compare(Describe(plain), plain).Missing);

        static (int, string) Facts(ModelDescription model) => (model.Network.OutputStride, string.Join(
            ',', ((DeepLabV3PlusHeadSpec)model.Network.Head).Aspp.Rates));
    }

    [Fact]
    public void Upsampling_that_is_not_here_is_refused()
    {
        using NamedWeights weights = Of(Tramac);
        weights.Add("jpu.conv5.0.weight", 1);
        Assert.Contains("jpu", Assert.Throws<ModelException>(() => Describe(weights)).Message);
    }

    private static NamedWeights Of(string golden, int classes = 5) => new(Golden.Load(golden).Keys.Select(key =>
        key.Name.Contains("conv2d_list", StringComparison.Ordinal)
            ? (key.Name, [classes, .. key.Shape[1..]]) : key));

    private static ModelDescription Describe(NamedWeights weights, Dictionary<string, string>? switches = null) =>
        Dialect.Describe(weights, null, new DialectChoice(null, switches));

    private static IReadOnlyList<int> Rates(ModelDescription model) =>
        Assert.IsType<DeepLabV2HeadSpec>(model.Network.Head).Rates;
}
