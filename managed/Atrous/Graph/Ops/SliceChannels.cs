using Atrous.Tensors;

namespace Atrous.Graph.Ops;

/// <summary>Some neighbouring channels of every pixel (Res2Net's scales, the splits of split attention).</summary>
/// <param name="First">The first channel that is taken.</param>
/// <param name="Channels">The number of channels that are taken.</param>
internal sealed record SliceChannels(int First, int Channels) : Op
{
    internal override ByteUse InBytes => ByteUse.HandsOn;

    public override Shape OutputShape(IReadOnlyList<Shape> inputs) =>
        First >= 0 && Channels > 0 && First + Channels <= inputs[0].Channels
            ? inputs[0] with { Channels = Channels }
            : throw Misfit($"the channels {First} to {First + Channels - 1} are not all in the input {inputs[0]}");
}
