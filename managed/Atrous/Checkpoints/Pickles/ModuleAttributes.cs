using System.Globalization;
using Atrous.Checkpoints.Storages;

namespace Atrous.Checkpoints.Pickles;

/// <summary>
/// What the modules of a network that was saved whole say of it beside its layers, in the words of its library's own
/// files: the head, the test and the classes of an mmsegmentation model, the arguments of a
/// segmentation_models.pytorch model.
/// </summary>
/// <param name="file">The file that they are in, for errors.</param>
internal sealed class ModuleAttributes(CheckpointFile file)
{
    private const string Head = "decode_head", Backbone = "backbone", Test = "test_cfg", Config = "cfg",
        Preprocessor = "data_preprocessor";

    /// <summary>More numbers are no mean of channels.</summary>
    private const int MostChannels = 64;

    private static readonly string[] OfHead =
        ["align_corners", "threshold", "num_classes", "out_channels", "dilations"];

    private static readonly string[] OfBackbone = ["strides", "dilations", "contract_dilation", "multi_grid"];

    /// <summary>Of the data that it was trained with, as the runner's `meta` has them.</summary>
    private static readonly string[] OfData = ["CLASSES", "PALETTE", "dataset_meta"];

    private int _modules;

    /// <summary>The facts of `meta`, with the modules' own under "modules"; null where there are none.</summary>
    public PickleDict? Meta { get; private set; }

    /// <summary>The arguments that huggingface_hub's mixin keeps of a constructor; null where there are none.</summary>
    public PickleDict? Arguments { get; private set; }

    /// <summary>Looks at a module; the first that says something is the network.</summary>
    /// <param name="state">The attributes of the module.</param>
    /// <param name="childOf">The attributes of a module inside it; null where there is none of that name.</param>
    public void Note(PickleDict state, Func<string, PickleDict?> childOf)
    {
        if (PickleJson.EntriesOf(state.Items.GetValueOrDefault("_hub_mixin_config")) is { } arguments)
        {
            // Of two networks nobody knows which is meant.
            Arguments = _modules++ == 0 ? arguments : null;
        }
        if (Meta is not null || childOf(Head) is not { } head)
            return;
        var model = new PickleDict();
        model.Set(Head, Picked(head, OfHead));
        if (childOf(Backbone) is { } backbone)
            model.Set(Backbone, Picked(backbone, OfBackbone));
        if (state.Items.TryGetValue(Test, out object? test))
            model.Set(Test, test);
        if (childOf(Preprocessor) is { } preprocessor)
            model.Set(Preprocessor, Preparation(preprocessor));
        var modules = new PickleDict();
        modules.Set("model", model);
        Meta = Picked(state, OfData);
        Meta.Set(Containers.TrainingMeta.Modules, modules);
        // Its inference functions leave the whole configuration on the model.
        if (PickleJson.EntriesOf(state.Items.GetValueOrDefault(Config)) is not null)
            Meta.Set(Config, state.Items[Config]);
    }

    /// <summary>
    /// The arguments of mmsegmentation's SegDataPreProcessor, which keeps its numbers as buffers that no state_dict()
    /// has. Without a mean it normalises nothing.
    /// </summary>
    private PickleDict Preparation(PickleDict state)
    {
        const string conversion = "channel_conversion";
        PickleDict said = Picked(state, ["pad_val", Test]);
        if (state.Items.GetValueOrDefault(conversion) is not bool flips)
            return said;
        said.Set("type", "SegDataPreProcessor");
        said.Set("bgr_to_rgb", flips);
        foreach (string name in new[] { "mean", "std" })
        {
            if (state.Items.GetValueOrDefault("_buffers") is PickleDict { Items: var buffers }
                && buffers.GetValueOrDefault(name) is StoredTensor { Elements: > 0 and <= MostChannels } tensor)
            {
                said.Set(name, Array.ConvertAll(Values(name, tensor), value => (object?)Decimal(value)));
            }
        }
        return said;
    }

    private float[] Values(string name, StoredTensor tensor)
    {
        var values = new float[tensor.Elements];
        try
        {
            tensor.Read(values);
        }
        catch (Exception e) when (e is EndOfStreamException or InvalidDataException)
        {
            throw file.Error($"is damaged: the values of its preprocessor's {name} end early or cannot be unpacked", e);
        }
        return values;
    }

    /// <summary>As it was written, 123.675, not the nearest float32 of it.</summary>
    private static double Decimal(float value) =>
        double.Parse(value.ToString(CultureInfo.InvariantCulture), CultureInfo.InvariantCulture);

    private static PickleDict Picked(PickleDict state, string[] names)
    {
        var picked = new PickleDict();
        foreach (string name in names)
        {
            if (state.Items.TryGetValue(name, out object? value) && value is not null)
                picked.Set(name, value);
        }
        return picked;
    }
}
