using Atrous.Tensors;

namespace Atrous.Graph.Ops;

/// <summary>
/// Scaled dot-product attention of several heads, Vaswani et al. 2017 (arXiv:1706.03762), section 3.2: in each head
/// y = softmax(scale * q k^T) v. Tokens are pixels. The pixels at one place of their patches are a sequence of its own
/// (MobileViT, Mehta and Rastegari 2021, arXiv:2110.02178, section 3.1). Inputs: queries, keys and values as three
/// values, as two (queries; keys and values), or as one whose channels hold all three in this order.
/// </summary>
/// <param name="Heads">The number of parts of the channels that attend by themselves.</param>
/// <param name="Scale">Multiplies the scores; mostly 1 / sqrt(channels of a head).</param>
/// <param name="Patch">The height and width of a patch; 1 makes one sequence of all pixels.</param>
internal sealed record Attention(int Heads, float Scale, int Patch = 1) : Op
{
    internal override bool KeepsType => true;

    internal override InputType TypeOfInput(int input) => InputType.Float32;

    /// <summary>Where queries (0), keys (1) or values (2) are: which input, and from which of its channels.</summary>
    public static (int Input, int Channel) Locate(int part, int inputs, int channels) => inputs switch
    {
        1 => (0, part * channels),
        2 => (Math.Min(part, 1), part == 2 ? channels : 0),
        _ => (part, 0),
    };

    public override Shape OutputShape(IReadOnlyList<Shape> inputs)
    {
        Shape x = inputs[0] with { Channels = Channels(inputs) };
        int[] wanted = inputs.Count switch { 1 => [3], 2 => [1, 2], _ => [1, 1, 1] };
        bool fits = inputs.Count == wanted.Length
            && inputs.Zip(wanted).All(pair => pair.First.Channels == pair.Second * x.Channels)
            && inputs.All(input => input.Batch == x.Batch)
            && inputs.Skip(2).All(input => input == inputs[1]);
        if (!fits || Heads < 1 || x.Channels % Heads != 0)
            throw Misfit($"{string.Join(" and ", inputs)} do not fit {Heads} head(s)");
        if (Patch < 1 || inputs.Any(input => input.Height % Patch != 0 || input.Width % Patch != 0))
            throw Misfit($"patches of {Patch} do not fill {string.Join(" and ", inputs)}");
        return x;
    }

    public override long MultiplyAdds(IReadOnlyList<Shape> inputs)
    {
        Shape keys = inputs[Math.Min(1, inputs.Count - 1)];
        return 2 * inputs[0].Pixels * (keys.Pixels / keys.Batch / (Patch * Patch)) * Channels(inputs);
    }

    private static int Channels(IReadOnlyList<Shape> inputs) =>
        inputs.Count == 1 ? inputs[0].Channels / 3 : inputs[0].Channels;
}

/// <summary>
/// Separable self-attention, Mehta and Rastegari 2022 (arXiv:2206.02680), section 3.2: with scores s of one channel,
/// keys k and values v, y = relu(v) * sum over a sequence of softmax(s) k. Sequences are those of
/// <see cref="Attention"/>. The input's channels are s, k and v after each other: 1 + 2 * channels of the output.
/// </summary>
/// <param name="Patch">The height and width of a patch; 1 makes one sequence of all pixels.</param>
internal sealed record LinearAttention(int Patch) : Op
{
    internal override bool KeepsType => true;

    internal override InputType TypeOfInput(int input) => InputType.Float32;

    public override Shape OutputShape(IReadOnlyList<Shape> inputs)
    {
        Shape x = inputs[0];
        bool fits = x.Channels % 2 == 1 && x.Channels > 1
            && Patch > 0 && x.Height % Patch == 0 && x.Width % Patch == 0;
        return fits
            ? x with { Channels = x.Channels / 2 }
            : throw Misfit($"{x} is not filled by patches of {Patch} with scores, keys and values");
    }
}
