using Atrous.Graph.Ops;
using Atrous.Onnx.Format;
using Atrous.Specs;
using Atrous.Tensors;

namespace Atrous.Onnx;

/// <content>
/// From bytes to the network's input, and from its scores to those of the picture's pixels, as
/// <see cref="Preprocessing.PreprocessingPlan"/> plans it: in nodes that compute with the picture's size.
/// </content>
internal sealed partial class GraphWriter
{
    /// <summary>The height and width of the pictures that come in, and of the scores that go out.</summary>
    public const string PictureHeight = "picture_height", PictureWidth = "picture_width";

    private const string Planes = Pixels + ".planes", PictureExtent = Pixels + ".extent", Window = Pixels + ".window";

    /// <summary>The first row and column of the picture in the network's input; null where it fills that.</summary>
    private string? _origin;

    /// <summary>
    /// Bytes N,H,W,C become the network's input in the steps of <see cref="PreprocessingSpec"/>: the size where it is
    /// the model's, the colours' order, the scale, mean and std, and what lies around the picture.
    /// </summary>
    private void Prepare(PreprocessingSpec spec, bool resizes)
    {
        foreach (string name in (string[])[Pixels, Planes, PictureExtent, Window])
            _names.Claim(name);
        Add("Transpose", Planes, [Pixels], Nodes.Integers("perm", 0, 3, 1, 2));
        string floats = resizes ? Resized(spec) : Step(Pixels, "float", "Cast", [Planes], ToFloat());
        if (spec.Order == ChannelOrder.Bgr && spec.Channels == 3)
        {
            floats = Step(Pixels, "bgr", "Gather", [floats, _constants.Integers("bgr", 2, 1, 0)],
                Nodes.Integer("axis", 1));
        }
        // A border has a byte's value where the model says so, and is nothing to the network otherwise.
        string? pads = resizes ? Pads(spec) : null;
        if (pads is not null && spec.Resize is ResizePolicy.Letterbox box)
        {
            floats = Step(Pixels, "boxed", "Pad", [floats, pads, _constants.Scalar("fill", box.Fill)]);
            pads = null;
        }
        string scaled = Step(Pixels, "scaled", "Mul", [floats, _constants.Scalar("scale", spec.Scale)]);
        string centred = Step(Pixels, "centred", "Sub", [scaled, _constants.Channels("mean", [.. spec.Mean])]);
        string normal = pads is null ? Input : _names.Claim($"{Pixels}.normal");
        Add("Div", normal, [centred, _constants.Channels("std", [.. spec.Std])]);
        if (pads is not null)
            Add("Pad", Input, [normal, pads]);
    }

    /// <summary>
    /// The picture in the size that it has in the network's input, as floats of whole numbers. Bytes are resized as
    /// such, because runtimes round them between rows and columns, as Pillow does.
    /// </summary>
    private string Resized(PreprocessingSpec spec)
    {
        Add("Shape", PictureExtent, [Planes], Nodes.Integer("start", 2));
        string window = PolicyWindow(spec.Resize);
        string size = spec is { StretchesToMultiple: true, SizeMultiple: { } multiple }
            ? UpTo(window, multiple) : window;
        Add("Identity", Window, [size]);
        if (spec is { Resize: ResizePolicy.None, StretchesToMultiple: false })
            return Step(Pixels, "float", "Cast", [Planes], ToFloat());
        string depth = Step(Pixels, "depth", "Shape", [Planes], Nodes.Integer("end", 2));
        string sizes = Step(Pixels, "sizes", "Concat", [depth, Window], Nodes.Integer("axis", 0));
        AttributeProto grid = Nodes.Text("coordinate_transformation_mode", "half_pixel");
        if (spec.Filter == ResizeFilter.BilinearPlain)
        {
            string floats = Step(Pixels, "float", "Cast", [Planes], ToFloat());
            string exact = Step(Pixels, "exact", "Resize", [floats, "", "", sizes], Nodes.Text("mode", "linear"), grid);
            return Step(Pixels, "resized", "Round", [exact]);
        }
        AttributeProto[] filter = spec.Filter == ResizeFilter.Bicubic
            ? [Nodes.Text("mode", "cubic"), Nodes.Number("cubic_coeff_a", -0.5f)]
            : [Nodes.Text("mode", "linear")];
        string bytes = Step(
            Pixels, "bytes", "Resize", [Planes, "", "", sizes],
            [.. filter, grid, Nodes.Integer("antialias", 1), Nodes.Integer("exclude_outside", 1)]);
        return Step(Pixels, "resized", "Cast", [bytes], ToFloat());
    }

    /// <summary>
    /// The name of height and width, as the model's rule has them. Whole numbers are divided rounding down.
    /// </summary>
    private string PolicyWindow(ResizePolicy policy)
    {
        string shortest = Step(Pixels, "short", "ReduceMin", [PictureExtent], Nodes.Integer("keepdims", 1));
        string longest = Step(Pixels, "long", "ReduceMax", [PictureExtent], Nodes.Integer("keepdims", 1));
        switch (policy)
        {
            case ResizePolicy.None:
                return PictureExtent;
            case ResizePolicy.Stretch stretch:
                return Whole("stretched", stretch.Height, stretch.Width);
            case ResizePolicy.LongSide side:
                string twice = Compute("Mul", longest, Whole("two", 2));
                string sum = Compute("Add", Compute("Mul", PictureExtent, Whole("twice", 2L * side.Size)), longest);
                string scaled = AtLeastOne(Compute("Div", sum, twice));
                return side.OnlyShrink
                    ? Compute("Where", Compute("LessOrEqual", longest, Whole("most", side.Size)), PictureExtent, scaled)
                    : scaled;
            case ResizePolicy.ShortSide side:
                string size = Whole("size", side.Size);
                (string newShort, string newLong) = (size, Compute("Div", Compute("Mul", longest, size), shortest));
                if (side.Max is { } max)
                {
                    string most = Whole("most", max);
                    newShort = Compute("Where", Compute("Greater", newLong, most),
                        Compute("Div", Whole("product", (long)max * side.Size), newLong), size);
                    newLong = Compute("Min", newLong, most);
                }
                return AtLeastOne(Compute("Where", Compute("Equal", PictureExtent, shortest), newShort, newLong));
            case ResizePolicy.Within frame:
                string within = Compute("Min",
                    Compute("Div", _constants.Doubles("frame_long", frame.Long), Exact(longest)),
                    Compute("Div", _constants.Doubles("frame_short", frame.Short), Exact(shortest)));
                return AtLeastOne(Truncated(Compute(
                    "Add", Compute("Mul", Exact(PictureExtent), within), _constants.Doubles("half", 0.5))));
            case ResizePolicy.Letterbox box:
                string shares = Compute("Div", _constants.Doubles("box", box.Height, box.Width), Exact(PictureExtent));
                string share = Step(Pixels, "share", "ReduceMin", [shares], Nodes.Integer("keepdims", 1));
                return AtLeastOne(Truncated(Compute("Mul", Exact(PictureExtent), share)));
            default:
                throw new UnavailableException($"Pictures that are {policy} cannot be resized in an ONNX file.");
        }
    }

    /// <summary>What lies above, left, below and right of the picture; null where nothing ever does.</summary>
    private string? Pads(PreprocessingSpec spec)
    {
        var box = spec.Resize as ResizePolicy.Letterbox;
        if (box is null && (spec.SizeMultiple is null || spec.StretchesToMultiple))
            return null;
        string whole = box is null ? Window : Whole("box_size", box.Height, box.Width);
        string filled = spec.SizeMultiple is { } multiple ? UpTo(whole, multiple) : whole;
        _origin = box is null
            ? Whole("corner", 0, 0)
            : Compute("Div", Compute("Sub", whole, Window), Whole("two", 2));
        string after = Compute("Sub", Compute("Sub", filled, Window), _origin);
        string none = Whole("none", 0, 0);
        return Step(Pixels, "pads", "Concat", [none, _origin, none, after], Nodes.Integer("axis", 0));
    }

    /// <summary>
    /// The scores of the picture's pixels: those of its window, resized. Where it fills the input they are made of the
    /// network's own scores, without one at the input's size between.
    /// </summary>
    private void Finish(string scores, NetworkSpec spec, int classes)
    {
        Sampling sampling = _origin is null || spec.ResizedTwice ? spec.FinalSampling : Sampling.HalfPixel;
        if (spec.SoftmaxBeforeResize)
        {
            scores = Step(Output, "softmax", "Softmax", [scores], Nodes.Integer("axis", 1));
            sampling = spec.ResizedTwice ? spec.FinalSampling : Sampling.HalfPixel;
        }
        if (_origin is not null)
        {
            scores = Step(Output, "window", "Slice",
                [scores, _origin, Compute("Add", _origin, Window), _constants.Integers("plane", 2, 3)]);
        }
        string depth = Step(Output, "depth", "Shape", [scores], Nodes.Integer("end", 2));
        string sizes = Step(Output, "sizes", "Concat", [depth, PictureExtent], Nodes.Integer("axis", 0));
        Add("Resize", Output, [scores, "", "", sizes], Grid(sampling));
        _graph.Output.Add(
            Nodes.Tensor(Initializers.Float32, Output, _batch, classes, PictureHeight, PictureWidth));
    }

    private string UpTo(string size, int multiple)
    {
        string step = Whole("multiple", multiple);
        string more = Compute("Add", size, Whole("rest", multiple - 1));
        return Compute("Mul", Compute("Div", more, step), step);
    }

    private string AtLeastOne(string size) => Compute("Max", size, Whole("one", 1));

    private string Exact(string whole) =>
        Compute("Cast", [whole], Nodes.Integer("to", Initializers.Float64));

    private string Truncated(string number) => Compute("Cast", [number], Nodes.Integer("to", Initializers.Int64));

    private string Whole(string name, params long[] values) => _constants.Integers($"{Pixels}.{name}", values);

    private string Compute(string type, params string[] inputs) => Compute(type, inputs, []);

    private string Compute(string type, string[] inputs, params AttributeProto[] attributes) =>
        Step(Pixels, $"size.{type.ToLowerInvariant()}", type, inputs, attributes);

    private static AttributeProto ToFloat() => Nodes.Integer("to", Initializers.Float32);
}
