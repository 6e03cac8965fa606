namespace Atrous.Checkpoints.Pickles;

/// <summary>
/// What the modules of a network that was saved whole say of it beside its layers, in the words of its library's own
/// files: the head, the test and the classes of an mmsegmentation model, the arguments of a
/// segmentation_models.pytorch model.
/// </summary>
internal sealed class ModuleAttributes
{
    private const string Head = "decode_head", Backbone = "backbone", Test = "test_cfg", Config = "cfg";

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
        var modules = new PickleDict();
        modules.Set("model", model);
        Meta = Picked(state, OfData);
        Meta.Set(Containers.TrainingMeta.Modules, modules);
        // Its inference functions leave the whole configuration on the model.
        if (PickleJson.EntriesOf(state.Items.GetValueOrDefault(Config)) is not null)
            Meta.Set(Config, state.Items[Config]);
    }

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
