using System.Text.Json;
using Atrous.Graph;
using Atrous.Graph.Ops;
using Atrous.Specs;

namespace Atrous.Checkpoints.Dialects;

/// <summary>
/// Networks, heads and pre-processing of <see cref="DescriptionJson"/>, member by member. One that is left out has the
/// default of its spec.
/// </summary>
internal static class NetworkFields
{
    public static NetworkSpec Network(JsonFields f)
    {
        var spec = new NetworkSpec
        {
            Backbone = f.Part("backbone", BackboneFields.Read),
            Head = f.Part("head", Head),
            OutputStride = f.Integer("outputStride"),
            InputChannels = f.Integer("inputChannels"),
            Classes = f.Integer("classes"),
            FinalSampling = f.Name<Sampling>("finalSampling"),
            SoftmaxBeforeResize = f.Flag("softmaxBeforeResize"),
            ResizedTwice = f.Flag("resizedTwice"),
            Slide = f.FindUnlessNull("slide") is { } slide ? JsonFields.Whole(slide, Slide) : null,
            BatchNormFolded = f.Flag("batchNormFolded"),
            MultiScale = f.FindUnlessNull("multiScale") is { } scales ? JsonFields.Whole(scales, MultiScale) : null,
        };
        spec.Forward = f.Part("forward", Forward, spec.Forward);
        spec.Padding = f.Name("padding", spec.Padding);
        return spec;
    }

    public static PreprocessingSpec Preprocessing(JsonFields f) => new()
    {
        Order = f.Name("order", ChannelOrder.Rgb),
        Scale = JsonFields.Single(f.Required("scale")),
        Mean = f.List("mean", JsonFields.Single),
        Std = f.List("std", JsonFields.Single),
        Resize = f.Part("resize", Resize, new ResizePolicy.None()),
        Filter = f.Name("filter", ResizeFilter.Bilinear),
        EnlargingFilter = f.OptionalName<ResizeFilter>("enlargingFilter"),
        SizeMultiple = f.Optional("sizeMultiple"),
        StretchesToMultiple = f.Flag("stretchesToMultiple"),
    };

    public static QuantizationSpec Quantization(JsonFields f) => new()
    {
        Steps = ByName(f.Required("steps"), JsonFields.Single),
        Zeros = ByName(f.Required("zeros"), JsonFields.Integer),
        Facts = f.Part("facts", static f => new QuantizationFacts
        {
            CalibrationPictures = f.Integer("calibrationPictures"),
            CheckPictures = f.Integer("checkPictures"),
            Agreement = f.Real("agreement"),
            WorstAgreement = f.Real("worstAgreement"),
            QuantizedLayers = f.Integer("quantizedLayers"),
            Float32Layers = f.Integer("float32Layers"),
            EqualizedLayers = f.Integer("equalizedLayers", 0),
        }),
    };

    private static HeadSpec Head(JsonFields f)
    {
        HeadSpec spec = f.Text("kind") switch
        {
            "deepLabV3" => new DeepLabV3HeadSpec
            {
                Aspp = f.Part("aspp", Aspp),
                Hidden = f.OptionalName<ConvolutionStyle>("hidden"),
            },
            "deepLabV3Plus" => DeepLabV3Plus(f),
            "deepLabV2" => new DeepLabV2HeadSpec { Rates = f.Integers("rates") },
            "denseAspp" => new DenseAsppHeadSpec
            {
                Rates = f.Integers("rates"),
                NormsFollow = f.Flag("normsFollow"),
            },
            var kind => throw new JsonException($"its head is of the unknown kind '{kind}'"),
        };
        spec.NormEpsilon = f.Real("normEpsilon", spec.NormEpsilon);
        return spec;
    }

    private static DeepLabV3PlusHeadSpec DeepLabV3Plus(JsonFields f)
    {
        var spec = new DeepLabV3PlusHeadSpec
        {
            Aspp = f.Part("aspp", Aspp),
            Style = f.Name("style", ConvolutionStyle.Dense),
            LowLevelFirst = f.Flag("lowLevelFirst"),
            Sampling = f.Name<Sampling>("sampling"),
            Bias = f.Flag("bias"),
            AfterAspp = f.Flag("afterAspp"),
        };
        spec.FuseConvolutions = f.Integer("fuseConvolutions", spec.FuseConvolutions);
        spec.FuseKernel = f.Integer("fuseKernel", spec.FuseKernel);
        spec.Activation = f.Part("activation", BackboneFields.Activation, spec.Activation);
        spec.LowLevelKernel = f.Integer("lowLevelKernel", spec.LowLevelKernel);
        return spec;
    }

    private static AsppSpec Aspp(JsonFields f)
    {
        var spec = new AsppSpec
        {
            Rates = f.Integers("rates"),
            Style = f.Name("style", ConvolutionStyle.Dense),
            PoolFirst = f.Flag("poolFirst"),
            Bias = f.Flag("bias"),
        };
        if (f.Find("imagePooling") is { } pooling)
        {
            spec.ImagePooling = pooling.ValueKind == JsonValueKind.Null
                ? null
                : JsonFields.Whole(pooling, ImagePooling);
        }
        spec.ProjectionKernel = f.Integer("projectionKernel", spec.ProjectionKernel);
        spec.Activation = f.Part("activation", BackboneFields.Activation, spec.Activation);
        return spec;
    }

    private static ImagePoolingSpec ImagePooling(JsonFields f) => new()
    {
        Sampling = f.Name("sampling", default(Sampling)),
        Window = f.OptionalIntegers("window") switch
        {
            null => null,
            [int height, int width] => (height, width),
            _ => throw new JsonException("a window is a list of height and width"),
        },
        BiasWithoutNorm = f.Flag("biasWithoutNorm"),
    };

    private static ForwardResult Forward(JsonFields f) => new(f.Integer("factor"), f.Flag("cropped"));

    private static SlideSpec Slide(JsonFields f) => new(
        f.Integer("height"), f.Integer("width"), f.Integer("strideHeight"), f.Integer("strideWidth"));

    private static MultiScaleSpec MultiScale(JsonFields f) =>
        new(f.List("scales", JsonFields.Real), f.RequiredFlag("recomputedGrid"));

    private static ResizePolicy Resize(JsonFields f) => f.Text("kind") switch
    {
        "none" => new ResizePolicy.None(),
        "shortSide" => new ResizePolicy.ShortSide(f.Integer("size"), f.Optional("max")),
        "longSide" => new ResizePolicy.LongSide(f.Integer("size"), f.RequiredFlag("onlyShrink")),
        "within" => new ResizePolicy.Within(f.Integer("long"), f.Integer("short")),
        "stretch" => new ResizePolicy.Stretch(f.Integer("height"), f.Integer("width")),
        "letterbox" => new ResizePolicy.Letterbox(
            f.Integer("height"), f.Integer("width"), f.Integer("fill") is >= 0 and <= byte.MaxValue and var fill
                ? (byte)fill
                : throw new JsonException("its 'fill' is not from 0 to 255")),
        var kind => throw new JsonException($"its resize is of the unknown kind '{kind}'"),
    };

    private static Dictionary<string, T> ByName<T>(JsonElement json, Func<JsonElement, T> read)
    {
        if (json.ValueKind != JsonValueKind.Object)
            throw new JsonException("it has no object of numbers by name where one should be");
        var values = new Dictionary<string, T>(StringComparer.Ordinal);
        foreach (JsonProperty property in json.EnumerateObject())
            values[property.Name] = read(property.Value);
        return values;
    }
}
