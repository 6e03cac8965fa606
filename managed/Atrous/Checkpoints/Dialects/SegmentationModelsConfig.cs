using System.Text.Json;
using System.Text.RegularExpressions;
using Atrous.Checkpoints.Containers;
using Atrous.Checkpoints.Pickles;
using Atrous.Checkpoints.Storages;
using Atrous.Specs;
using Atrous.Tensors;

namespace Atrous.Checkpoints.Dialects;

/// <summary>
/// The arguments of segmentation_models.pytorch's DeepLabV3 and DeepLabV3Plus as a file says them: the config.json of
/// `save_pretrained`, or a Lightning checkpoint's hyper-parameters that carry the same names. What contradicts the
/// weights is refused in the first, which is about nothing else; the others are then not believed, and a note says so.
/// </summary>
internal sealed partial class SegmentationModelsConfig
{
    private const string OutputStrideKey = "encoder_output_stride", RatesKey = "decoder_atrous_rates",
        ActivationKey = "activation", UpsamplingKey = "upsampling";

    private const int LargestUpsampling = 64;

    private const string Plus = "DeepLabV3Plus", Plain = "DeepLabV3";

    /// <summary>The library's own, without signs and capitals.</summary>
    private static readonly string[] Architectures =
    [
        "unet", "unetplusplus", "unetplus", "manet", "linknet", "fpn", "pspnet", "pan", "deeplabv3", "deeplabv3plus",
        "upernet", "segformer", "dpt",
    ];

    /// <summary>The library's own names of what it can apply to the scores.</summary>
    private static readonly string[] Activations =
    [
        "identity", "sigmoid", "softmax", "softmax2d", "logsoftmax", "tanh", "argmax", "argmax2d", "clamp",
    ];

    private readonly JsonFacts _facts;
    private readonly List<string> _notes = [];
    private JsonFacts? _modules;
    private bool _isArchKnown = true;

    private SegmentationModelsConfig(JsonFacts facts) => _facts = facts;

    /// <summary>What was believed of the file, or not.</summary>
    public IReadOnlyList<string> Notes => _notes;

    /// <summary>What is believed, for the encoder; without entries where nothing is.</summary>
    public JsonFacts Facts => _facts;

    /// <summary>"resnet34", or null where nobody says.</summary>
    private string? EncoderName => _facts.Text("encoder_name");

    /// <summary>Stages of the encoder that are used, from 3 to 5; null where nobody says.</summary>
    public int? EncoderDepth => _facts.Number("encoder_depth");

    /// <summary>8 or 16.</summary>
    public Standard<int> OutputStride(int otherwise) => _facts.Or(_facts.Number(OutputStrideKey), otherwise);

    /// <summary>Of the three atrous branches.</summary>
    public Standard<int[]> Rates => _facts.Or(_facts.Numbers(RatesKey), [12, 24, 36]);

    /// <summary>By which the scores are enlarged at the end.</summary>
    /// <param name="whole">The factor that gives scores of the picture's size.</param>
    public Standard<int> Upsampling(int whole) => _modules?.Number(UpsamplingKey) is { } said
        ? new Standard<int>(said, _modules.Source)
        : _facts.Or(_facts.Number(UpsamplingKey), whole);

    /// <summary>
    /// Whether each channel has a sigmoid of its own, which several classes have where that is their activation; null
    /// where nobody says it.
    /// </summary>
    public Standard<bool>? MultiLabel
    {
        get
        {
            JsonFacts facts = _modules?[ActivationKey] is null ? _facts : _modules;
            return facts[ActivationKey] is { } activation && JsonValues.Text(activation) == "sigmoid"
                ? new Standard<bool>(true, facts.Source)
                : null;
        }
    }

    /// <summary>Names of the classes, where they are given in place of their number; empty otherwise.</summary>
    public IReadOnlyList<string> ClassNames => JsonValues.Texts(_facts["classes"]) ?? [];

    /// <summary>Reads what a file says, and checks it against the weights.</summary>
    /// <param name="checkpoint">The file whose words are read.</param>
    /// <param name="known">What the weights themselves tell.</param>
    /// <exception cref="ModelException">
    /// A config.json contradicts the weights, or asks for what is not here.
    /// </exception>
    public static SegmentationModelsConfig Of(ICheckpoint checkpoint, Known known)
    {
        SegmentationModelsConfig config = Stated(checkpoint, known);
        config._modules = ModulesBehind(checkpoint.Weights[known.Classifier].Layer, checkpoint.Path);
        if (config._modules is { } modules)
        {
            CheckActivation(modules, known.Classes);
            CheckUpsampling(modules);
        }
        return config;
    }

    private static SegmentationModelsConfig Stated(ICheckpoint checkpoint, Known known)
    {
        if (checkpoint.Config is not null)
        {
            var config = new SegmentationModelsConfig(checkpoint.ConfigFile());
            config.Check(known);
            CheckActivation(config._facts, known.Classes);
            return config;
        }
        var nothing = new SegmentationModelsConfig(new JsonFacts(checkpoint.Path, "", null));
        IReadOnlyList<NetworkArguments> candidates = NetworkArguments.Of(checkpoint);
        if (candidates.Count == 0)
            return nothing;
        if (NetworkArguments.ContradictionOf(candidates) is { } contradiction)
        {
            nothing._notes.Add(
                "The hyper-parameters in the file have arguments of segmentation_models.pytorch in several places, "
                + $"which contradict each other in {contradiction}; none is believed.");
            return nothing;
        }
        var parameters = new SegmentationModelsConfig(NetworkArguments.Together(candidates, checkpoint.Path));
        try
        {
            parameters.Check(known);
            // A depth that the weights have not is found where the encoder is.
            known.TryDepth(parameters._facts);
        }
        catch (ModelException doubt)
        {
            nothing._notes.Add($"The hyper-parameters in the file are not believed. {doubt.Message}");
            return nothing;
        }
        // Their activation can be one inside somebody's own network; the library's own names mean the library's.
        if (parameters._facts[ActivationKey] is { ValueKind: JsonValueKind.String } activation
            && Activations.Contains(activation.GetString()))
            CheckActivation(parameters._facts, known.Classes);
        if (parameters._facts.Source == Switch.Modules)
            return parameters;
        parameters._notes.Add(
            "The hyper-parameters in the file are arguments of segmentation_models.pytorch and are believed: "
            + string.Join(", ", parameters.Said()) + ".");
        return parameters;
    }

    /// <summary>What the weights tell of the arguments.</summary>
    /// <param name="Plus">Whether the network is DeepLabV3+.</param>
    /// <param name="Backbone">The encoder's name for people.</param>
    /// <param name="InputChannels">What in_channels has to be.</param>
    /// <param name="Classes">What classes has to be.</param>
    /// <param name="Channels">What decoder_channels has to be.</param>
    /// <param name="Separable">What decoder_aspp_separable has to be.</param>
    /// <param name="Classifier">The kernel that makes the scores.</param>
    /// <param name="TryDepth">Throws where an encoder_depth is none that the weights can have.</param>
    internal sealed record Known(
        bool Plus, string Backbone, int InputChannels, int Classes, int Channels, bool Separable, string Classifier,
        Action<JsonFacts> TryDepth);

    /// <summary>What a network that was saved whole does with the scores; null where the file has no modules.</summary>
    private static JsonFacts? ModulesBehind(LayerFacts? classifier, string path)
    {
        if (classifier is null or { Enlargement: null, Activation: null })
            return null;
        var entries = new PickleDict();
        if (classifier.Enlargement is { } factor)
            entries.Set(UpsamplingKey, factor);
        if (classifier.Activation is { } function)
            entries.Set(ActivationKey, function.ToLowerInvariant());
        return new JsonFacts(path, Switch.Modules, PickleJson.Of(entries));
    }

    private IEnumerable<string> Said() =>
        new[] { "arch", "in_channels", "classes", ActivationKey, UpsamplingKey }.Concat(TrainingArguments.Marks)
            .Where(key => _facts[key] is not null && (_isArchKnown || key != "arch"));

    private void Check(Known known)
    {
        CheckClass(known);
        CheckEncoder(known);
        CheckCount("in_channels", known.InputChannels);
        CheckCount("classes", known.Classes);
        CheckWidth(known.Channels);
        if (_facts.Flag("decoder_aspp_separable") is { } separable && separable != known.Separable)
            throw Contradicts("decoder_aspp_separable", known.Separable ? "true" : "false");
        if (_facts.Number(OutputStrideKey) is not (null or 8 or 16))
            throw _facts.Wrong(OutputStrideKey, "is neither 8 nor 16, which the library takes");
        if (_facts.Numbers(RatesKey) is { Length: not 3 })
            throw _facts.Wrong(RatesKey, "is not three rates");
        CheckUpsampling(_facts);
    }

    private static void CheckUpsampling(JsonFacts facts)
    {
        if (facts.Number(UpsamplingKey) is < 1 or > LargestUpsampling)
            throw facts.Wrong(UpsamplingKey, $"is not a factor from 1 to {LargestUpsampling}");
    }

    private void CheckCount(string key, int weights)
    {
        int? said = _facts[key] switch
        {
            { ValueKind: JsonValueKind.Array } list => list.GetArrayLength(),
            _ => _facts.Number(key),
        };
        if (said is not null && said != weights)
            throw Contradicts(key, $"{weights}");
    }

    /// <summary>A width, which changes nothing that the weights do not tell: they are followed.</summary>
    private void CheckWidth(int weights)
    {
        const string key = "decoder_channels";
        if (_facts[key] is { ValueKind: JsonValueKind.Array })
            throw Contradicts(key, $"{weights}");
        if (_facts.Number(key) is { } said && said != weights)
            _notes.Add($"{_facts.Source} says {key} {said}, and the weights have {weights}: the weights are followed.");
    }

    private void CheckClass(Known known)
    {
        string mine = known.Plus ? Plus : Plain;
        if (_facts.Text("_model_class") is { } model && Normalised(model) != Normalised(mine))
            throw Contradicts("_model_class", mine);
        if (_facts.Text("arch") is not { } arch || Normalised(arch) == Normalised(mine))
            return;
        if (Architectures.Contains(Normalised(arch)))
            throw Contradicts("arch", mine);
        _isArchKnown = false;
        _notes.Add($"{_facts.Source} says arch {Printable.Quote(arch)}, which is no architecture's name; it is " +
            $"left out, and the weights have {mine}.");
    }

    /// <summary>"smp.DeepLabV3Plus", "deeplabv3+" and "DeepLabV3_plus" are one name.</summary>
    private static string Normalised(string name)
    {
        string last = name[(name.LastIndexOf('.') + 1)..].Replace("+", "plus", StringComparison.Ordinal);
        return string.Concat(last.Where(char.IsAsciiLetterOrDigit)).ToLowerInvariant();
    }

    /// <summary>Only where the name itself tells which of the networks that are known here it means.</summary>
    private void CheckEncoder(Known known)
    {
        if (EncoderName is not { } name)
            return;
        string? backbone = name == "mobilenet_v2" ? "MobileNetV2"
            : PlainResNet().Match(name) is { Success: true } match ? "ResNet-" + match.Groups[1].Value
            : null;
        bool isKnown =
            known.Backbone == "MobileNetV2" || known.Backbone.StartsWith("ResNet-", StringComparison.Ordinal);
        if (backbone is not null && isKnown && backbone != known.Backbone)
            throw Contradicts("encoder_name", known.Backbone);
    }

    /// <summary>
    /// What is applied to the scores in the end. A softmax does not change which of several classes has the highest
    /// score, and a sigmoid is what thresholds are for. Others change the mask.
    /// </summary>
    private static void CheckActivation(JsonFacts facts, int classes)
    {
        if (facts[ActivationKey] is null)
            return;
        bool fits = facts.Text(ActivationKey) switch
        {
            "identity" or "sigmoid" => true,
            "softmax" or "softmax2d" or "logsoftmax" or "argmax" or "argmax2d" => classes > 1,
            _ => false,
        };
        if (!fits)
        {
            throw facts.Wrong(ActivationKey, classes > 1
                ? "makes scores that Atrous does not make; without it each pixel's highest score decides"
                : "makes no sigmoid of the one class, which Atrous needs; without it the sigmoid is taken");
        }
    }

    private ModelException Contradicts(string key, string weights) =>
        _facts.Wrong(key, $"contradicts the weights, which have {weights}");

    [GeneratedRegex(@"^resnet(\d+)$", RegexOptions.CultureInvariant)]
    private static partial Regex PlainResNet();
}
