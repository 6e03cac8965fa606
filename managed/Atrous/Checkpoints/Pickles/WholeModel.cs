using System.Runtime.InteropServices;
using Atrous.Checkpoints.Storages;
using Atrous.Tensors;

namespace Atrous.Checkpoints.Pickles;

/// <summary>
/// Networks that were saved whole, torch.save(model), turned into what their state_dict() would have been. A module is
/// an inert object whose state holds `_parameters`, `_buffers` and `_modules`, or in TorchScript's archives the tensors
/// and modules themselves; names are joined by dots. Neither its class nor its code is needed.
/// </summary>
internal sealed class WholeModel
{
    private const int MaxDepth = 6;
    private const int MaxModuleDepth = 100;
    private const int MaxVisits = 1_000_000;

    /// <summary>Where __dict__ lies at most among a state's parts, or among the arguments of a call.</summary>
    private const int MaxParts = 3;

    private const string ScriptPackage = "__torch__";

    private readonly CheckpointFile _file;
    private readonly ModuleAttributes _attributes;
    private readonly Dictionary<PickleObject, PickleDict> _unfolded = new(ReferenceEqualityComparer.Instance);
    private int _visits;
    private long _nameCharacters;

    private WholeModel(CheckpointFile file, ModuleAttributes attributes) => (_file, _attributes) = (file, attributes);

    /// <summary>
    /// The same value, in which every module that has tensors is a dictionary of them, as is an object that is a
    /// dictionary by inheritance, and the attributes of the outermost object.
    /// </summary>
    /// <param name="file">The file that holds it, for errors.</param>
    /// <param name="root">What the pickle made.</param>
    /// <param name="attributes">Gets what the modules say beside their layers.</param>
    public static object? Unfold(CheckpointFile file, object? root, ModuleAttributes attributes)
    {
        var models = new WholeModel(file, attributes);
        root = models.Unfold(root as PickleObject)
            ?? (root is PickleObject { State: PickleDict state } value && !IsScript(value) ? state : root);
        models.UnfoldWithin(root);
        return root;
    }

    /// <summary>True for an object of a program that TorchScript compiled.</summary>
    public static bool IsScript(PickleObject value) =>
        value.Type.Module == ScriptPackage
        || value.Type.Module.StartsWith(ScriptPackage + ".", StringComparison.Ordinal);

    /// <summary>Null for what is neither a module with tensors nor a dictionary.</summary>
    private PickleDict? Unfold(PickleObject? value)
    {
        if (value is null || !IsModule(value))
            return value?.Entries;
        if (!_unfolded.TryGetValue(value, out PickleDict? weights))
        {
            _unfolded.Add(value, weights = new PickleDict());
            Collect(value, "", 0, weights);
        }
        return weights.Items.Count > 0 ? weights : null;
    }

    /// <summary>
    /// Changes items of dictionaries, lists and tuples in their places, each of which is visited once.
    /// </summary>
    private void UnfoldWithin(object? root)
    {
        var seen = new HashSet<object>(ReferenceEqualityComparer.Instance);
        var queue = new Queue<(object Place, int Depth)>();
        Enqueue(root, 0);
        while (queue.TryDequeue(out (object Place, int Depth) next))
        {
            switch (next.Place)
            {
                case PickleDict { Items: var items }:
                    for (int i = 0; i < items.Count; i++)
                    {
                        if (Unfold(items.GetAt(i).Value as PickleObject) is { } dict)
                            items.SetAt(i, dict);
                        Enqueue(items.GetAt(i).Value, next.Depth + 1);
                    }
                    break;
                case PickleList { Items: var list }:
                    UnfoldItems(CollectionsMarshal.AsSpan(list), next.Depth);
                    break;
                case object?[] tuple:
                    UnfoldItems(tuple, next.Depth);
                    break;
            }
        }

        void UnfoldItems(Span<object?> items, int depth)
        {
            foreach (ref object? item in items)
            {
                item = Unfold(item as PickleObject) ?? item;
                Enqueue(item, depth + 1);
            }
        }

        void Enqueue(object? value, int depth)
        {
            if (value is PickleDict or PickleList or object?[] && depth <= MaxDepth && seen.Add(value))
                queue.Enqueue((value, depth));
        }
    }

    private void Collect(PickleObject module, string prefix, int depth, PickleDict weights)
    {
        if (depth > MaxModuleDepth)
            throw TooLarge();
        Visit(0);
        PickleDict state = StateOf(module)!;
        if (IsScript(module))
        {
            foreach ((string name, object? value) in state.Items)
            {
                Visit(0);
                if (value is StoredTensor)
                    Add(weights, prefix + name, value);
            }
            CollectModules(state, prefix, depth, weights);
            return;
        }
        var transient = state.Items.GetValueOrDefault("_non_persistent_buffers_set") as PickleSet;
        NoteFacts(state);
        foreach ((string name, object? value) in ItemsOf(state, "_parameters"))
            Add(weights, prefix + name, value);
        foreach ((string name, object? value) in ItemsOf(state, "_buffers"))
        {
            Visit(0);
            if (transient?.Items.Contains(name) != true)
                Add(weights, prefix + name, value);
        }
        if (state.Items.GetValueOrDefault("_modules") is PickleDict modules)
        {
            _attributes.Note(
                state, name => modules.Items.GetValueOrDefault(name) is PickleObject child ? StateOf(child) : null);
            CollectModules(modules, prefix, depth, weights);
            NoteFollowers(module, modules);
            NoteSmoother(modules);
        }
    }

    /// <summary>
    /// The attributes of a convolution or norm, which no state_dict() has. A weight that several modules share
    /// has none where they differ.
    /// </summary>
    private static void NoteFacts(PickleDict state)
    {
        if (ItemsOf(state, "_parameters").GetValueOrDefault("weight") is not StoredTensor weight)
            return;
        var facts = new LayerFacts
        {
            Stride = Square(state.Items.GetValueOrDefault("stride")),
            Dilation = Square(state.Items.GetValueOrDefault("dilation")),
            Epsilon = state.Items.GetValueOrDefault("eps") as double?,
        };
        LayerFacts? known = weight.Layer is null ? null : weight.Layer with
        {
            Enlargement = null,
            Activation = null,
            Smoother = null,
        };
        if (known != facts)
            weight.Layer = known is null ? facts : new LayerFacts();
    }

    /// <summary>
    /// What the modules behind a layer do that have no tensors, in a Sequential: enlarge its output, or apply a
    /// function to it. segmentation_models.pytorch wraps the function once more.
    /// </summary>
    private static void NoteFollowers(PickleObject sequence, PickleDict modules)
    {
        // A Sequential, or a class that derives from it, counts its modules; those with names are called in an order
        // of their own.
        if (modules.Items.Keys.Any(name => !name.All(char.IsAsciiDigit)) || IsOfOwnOrder(sequence))
            return;
        StoredTensor? weight = null;
        bool isEnlarged = false;
        foreach (object? child in modules.Items.Values)
        {
            if (child is not PickleObject module || StateOf(module) is not { } state)
                continue;
            if (ItemsOf(state, "_parameters").GetValueOrDefault("weight") is StoredTensor own)
                (weight, isEnlarged) = (own, false);
            else if (weight?.Layer is { } facts)
                weight.Layer = Followed(facts, module, state, ref isEnlarged);
        }
    }

    /// <summary>
    /// What timm's blocks have behind a convolution whose stride they have taken away: a module without tensors that is
    /// called "aa". Where it does nothing it is an Identity.
    /// </summary>
    private static void NoteSmoother(PickleDict modules)
    {
        if (modules.Items.GetValueOrDefault("aa") is not PickleObject { Type.Name: not "Identity" } smoother)
            return;
        StoredTensor? kernel = null;
        foreach ((string name, object? child) in modules.Items)
        {
            if (name == "aa")
                break;
            if (child is PickleObject module && StateOf(module) is { } state
                && ItemsOf(state, "_parameters").GetValueOrDefault("weight") is StoredTensor { Shape.Length: 4 } own)
            {
                kernel = own;
            }
        }
        if (kernel?.Layer is { } facts)
            kernel.Layer = facts with { Smoother = smoother.Type.Name };
    }

    private static bool IsOfOwnOrder(PickleObject sequence) =>
        sequence.Type.Module.StartsWith("torch.", StringComparison.Ordinal) && sequence.Type.Name != "Sequential";

    private static LayerFacts Followed(
        LayerFacts facts, PickleObject module, PickleDict state, ref bool isEnlarged)
    {
        if (ItemsOf(state, "_modules") is { Count: 1 } wrapped && wrapped.GetAt(0).Value is PickleObject inner
            && StateOf(inner) is { } itsState)
            (module, state) = (inner, itsState);
        if (ItemsOf(state, "_modules").Count > 0)
            return facts;
        if (module.Type.Module == "torch.nn.modules.upsampling")
        {
            // None where it makes an output of one size; what comes behind that tells no factor either.
            double? factor = NumberOf(state.Items.GetValueOrDefault("scale_factor"));
            facts = facts with { Enlargement = isEnlarged ? facts.Enlargement * factor : factor };
            isEnlarged = true;
            return facts;
        }
        return module.Type.Name switch
        {
            // In place of what enlarges, or of a function.
            "Identity" => isEnlarged ? facts : facts with { Enlargement = facts.Enlargement ?? 1 },
            "Dropout" or "Dropout2d" => facts,
            string name => facts with { Activation = name },
        };
    }

    private static double? NumberOf(object? value) => value as double? ?? value as long?;

    /// <summary>(n, n) as n.</summary>
    private static int? Square(object? pair) =>
        pair is object?[] and [long height, long width] && height == width && height is > 0 and <= int.MaxValue
            ? (int)height : null;

    private void CollectModules(PickleDict modules, string prefix, int depth, PickleDict weights)
    {
        foreach ((string name, object? value) in modules.Items)
        {
            Visit(0);
            if (value is not PickleObject child || !IsModule(child))
                continue;
            Visit(prefix.Length + name.Length);
            Collect(child, $"{prefix}{name}.", depth + 1, weights);
        }
    }

    private void Add(PickleDict weights, string name, object? value)
    {
        Visit(name.Length);
        // A layer without bias has None there.
        if (value is not null)
            weights.Set(name, value);
    }

    /// <summary>Counts what is looked at, and the characters of names that are joined.</summary>
    private void Visit(int characters)
    {
        _nameCharacters += characters;
        _file.Budget.Hold(2 * characters);
        if (++_visits > MaxVisits || _nameCharacters > ReadBudget.MaxNameCharacters)
            throw TooLarge();
    }

    private static OrderedDictionary<string, object?> ItemsOf(PickleDict state, string part) =>
        state.Items.GetValueOrDefault(part) is PickleDict { Items: var items } ? items : [];

    private static bool IsModule(PickleObject value) => StateOf(value) is not null;

    /// <summary>
    /// What the module's __dict__ was: its state, or the state's first part where it has slots too, or an argument of
    /// the function that makes it anew, as torch.fx does.
    /// </summary>
    private static PickleDict? StateOf(PickleObject value)
    {
        if (IsScript(value))
            return value.State as PickleDict;
        if (IsModuleState(value.State))
            return (PickleDict)value.State!;
        return (value.State as IEnumerable<object?> ?? value.Arguments).Take(MaxParts)
            .FirstOrDefault(IsModuleState) as PickleDict;
    }

    private static bool IsModuleState(object? state) =>
        state is PickleDict { Items: var items } && items.ContainsKey("_modules")
        && (items.ContainsKey("_parameters") || items.ContainsKey("_buffers"));

    private ModelException TooLarge() =>
        _file.Error("holds a model whose modules are nested without end, or more of them than any network has");
}
