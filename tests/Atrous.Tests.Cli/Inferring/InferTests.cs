using Atrous.Checkpoints;
using Atrous.Checkpoints.Containers;
using Atrous.Tensors;
using Atrous.Tests.Segmenters;
using Atrous.Tests.Support;

namespace Atrous.Tests.Cli.Inferring;

/// <summary>`atrous infer`: from file to file.</summary>
public sealed class InferTests(GeneratedModel model) : IDisposable
{
    private readonly Workplace _place = new();

    public void Dispose() => _place.Dispose();

    [Fact]
    public void A_golden_comes_back_as_the_original_computed_it()
    {
        Golden golden = Golden.Load(GeneratedModel.Name);
        WriteInput("input.safetensors", "input", golden.InputShape);
        ToolResult result = Infer("input.safetensors", "out/result.safetensors").Exits(0);
        string line = Assert.Single(result.ErrorLines);
        Assert.Contains("on cpu", line);
        Assert.EndsWith($"; logits and output in {_place["out/result.safetensors"]}", line);
        Assert.Empty(result.Output);
        Assert.Equal(["input.safetensors", "out/result.safetensors"], _place.Files);

        using Checkpoint file = Checkpoint.Open(_place["out/result.safetensors"]);
        Assert.Equal(["logits", "output"], file.Weights.Keys.Order());
        GoldenTensor expected = golden.Output();
        foreach (string name in file.Weights.Keys)
        {
            Assert.Equal(DType.Float32, file.Weights[name].Type);
            Assert.Equal(expected.Shape, file.Weights[name].Shape);
            var values = new float[expected.Values.Length];
            file.Read(name, values);
            Tolerance.AssertWithin(Tolerance.Network, values, expected.Values, name, golden.OutputStd);
        }
    }

    [Fact]
    public void An_input_that_is_none_is_bad_input()
    {
        var shape = new Shape(1, 33, 33, 3);
        WriteInput("other.safetensors", "image", shape);
        Infer("other.safetensors", "out.safetensors").Refuses(3, "'input'");
        WriteInput("channels.safetensors", "input", shape with { Channels = 4 });
        Infer("channels.safetensors", "out.safetensors").Refuses(3, "4 channels");
        Infer("nothing.safetensors", "out.safetensors").Refuses(3, "nothing.safetensors");
        _place.Add("broken.safetensors", "broken");
        Infer("broken.safetensors", "out.safetensors").Refuses(3, "broken.safetensors");
        Write("flat.safetensors", new WeightInfo("input", DType.Float32, [3, 33, 33]), new float[3 * 33 * 33]);
        Infer("flat.safetensors", "out.safetensors").Refuses(3, "N,C,H,W");
        Write("bytes.safetensors", new WeightInfo("input", DType.UInt8, [1, 3, 33, 33]), new float[3 * 33 * 33]);
        Infer("bytes.safetensors", "out.safetensors").Refuses(3, "float32");
        Assert.False(File.Exists(_place["out.safetensors"]));
    }

    [Fact]
    public void Without_a_model_it_takes_the_one_in_the_box_and_says_so()
    {
        WriteInput("input.safetensors", "input", new Shape(1, 33, 65, 3));
        ToolResult result = Tool.Run("infer", "--input", _place["input.safetensors"], "-o", _place["out.safetensors"])
            .Exits(0);
        Assert.StartsWith("atrous: no MODEL given; atrous-street (11 road-scene classes), DeepLabV3+ with ",
            Assert.Single(result.ErrorLines));
        using Checkpoint file = Checkpoint.Open(_place["out.safetensors"]);
        Assert.Equal([1, 11, 33, 65], file.Weights["output"].Shape);
    }

    [Fact]
    public void An_output_that_cannot_be_written_is_worth_retrying()
    {
        WriteInput("input.safetensors", "input", new Shape(1, 33, 33, 3));
        _place.Add("file", "in the way");
        Infer("input.safetensors", "file/out.safetensors").Refuses(1, "cannot be written");
        Assert.Equal(["file", "input.safetensors"], _place.Files);
    }

    private ToolResult Infer(string input, string output) =>
        Tool.Run("infer", model.Path, "--input", _place[input], "-o", _place[output]);

    private void WriteInput(string file, string name, Shape shape)
    {
        using Tensor tensor = GeneratedWeights.Input(shape, 1);
        var planar = new float[shape.Elements];
        float[] values = Layout.Values(tensor);
        int pixels = shape.Height * shape.Width;
        for (int i = 0; i < values.Length; i++)
            planar[i % shape.Channels * pixels + i / shape.Channels] = values[i];
        Write(file, new WeightInfo(name, DType.Float32, [1, shape.Channels, shape.Height, shape.Width]), planar);
    }

    private void Write(string file, WeightInfo info, float[] values)
    {
        using var writer = new SafetensorsWriter(_place[file], [info]);
        writer.Write(info.Name, values);
        writer.Complete();
    }
}
