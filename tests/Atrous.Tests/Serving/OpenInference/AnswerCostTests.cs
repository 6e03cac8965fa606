using Atrous.Server;
using Atrous.Server.OpenInference;
using Atrous.Server.Rpc;

namespace Atrous.Tests.Serving.OpenInference;

/// <summary>What no answer can hold is refused, and not found out while it is written.</summary>
public sealed class AnswerCostTests
{
    private const int Most = 166_666_666;

    [Fact]
    public void JSON_before_binary_outputs_is_no_longer_than_a_buffer()
    {
        AnswerCost mixed = InferResponse.CostOf([Probabilities(binary: false), Polygons(binary: true)]);
        mixed.Check(900_000);
        ProtocolException e = Assert.Throws<ProtocolException>(() => mixed.Check(1_000_000));
        Assert.Equal(413, e.StatusCode);
        Assert.Contains("ask for all outputs with binary_data", e.Message);
        // Alone it goes out as it is made, and behind the JSON block by block.
        InferResponse.CostOf([Probabilities(binary: false)]).Check(1_000_000_000);
        InferResponse.CostOf([Probabilities(binary: true)]).Check(1_000_000_000);
    }

    [Fact]
    public void Texts_in_JSON_are_no_longer_than_its_writer_takes()
    {
        AnswerCost text = InferResponse.CostOf([Polygons(binary: false)]);
        text.Check(1, [Most, Most, Most]);
        ProtocolException e = Assert.Throws<ProtocolException>(() => text.Check(1, [7, Most + 1]));
        Assert.Equal(413, e.StatusCode);
        Assert.Contains("The outlines of a picture are 166666667 bytes", e.Message);
        InferResponse.CostOf([Polygons(binary: true)]).Check(1, [int.MaxValue]);
        WireResponse.CostOf([Polygons(binary: false)]).Check(1, [int.MaxValue]);
        // All texts together, where they are held before what is binary.
        AnswerCost mixed = InferResponse.CostOf([Polygons(binary: false), Probabilities(binary: true)]);
        mixed.Check(1, [Most, Most]);
        Assert.Throws<ProtocolException>(() => mixed.Check(1, [Most, Most, Most]));
    }

    private static OutputTensor Probabilities(bool binary) =>
        new(ModelSurface.Probabilities, TensorType.Fp32, binary) { ElementsPerPixel = 150 };

    private static OutputTensor Polygons(bool binary) =>
        new(ModelSurface.Polygons, TensorType.Bytes, binary) { ElementsPerPixel = 0 };
}
