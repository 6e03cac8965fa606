using Atrous.Checkpoints.Dialects;
using Atrous.Models;
using Atrous.Specs;
using Atrous.Tensors;
using Atrous.Tests.Checkpoints.Dialects;

namespace Atrous.Tests.Models;

/// <summary>A network whose training diverged has no mask, and says so instead of a blank one.</summary>
public sealed class FiniteWeightsTests
{
    [Theory]
    [InlineData(float.NaN)]
    [InlineData(float.PositiveInfinity)]
    [InlineData(float.NegativeInfinity)]
    public void Values_that_are_no_numbers_are_found_wherever_they_are(float value)
    {
        var values = new float[67];
        Array.Fill(values, float.MaxValue);
        Assert.Equal(-1, FiniteNumbers.FirstOther(values));
        for (int at = 0; at < values.Length; at++)
        {
            values[at] = value;
            Assert.Equal(at, FiniteNumbers.FirstOther(values));
            values[at] = -float.Epsilon;
        }
    }

    [Theory]
    [InlineData("backbone.conv1.weight", float.NaN, "holds NaN among its values")]
    [InlineData("backbone.bn1.running_var", float.PositiveInfinity, "holds Infinity among its values")]
    [InlineData("backbone.bn1.running_var", -1f, "holds -1, which is no variance")]
    public void The_tensor_is_named(string name, float value, string words)
    {
        using var checkpoint = new NamedWeights(NamedWeights.Manifest("torchvision_deeplabv3_r50_aux"));
        checkpoint.Fill(name, () => value);
        ModelDescription description = Dialect.Describe(checkpoint, null, new DialectChoice());
        using var weights = new WeightReader(checkpoint, description);
        string message = Assert.Throws<ModelException>(weights.ReadStem).Message;
        Assert.Contains(name, message);
        Assert.Contains(words, message);
        Assert.StartsWith("'names.pth'", message);
    }

    /// <summary>As files are that somebody quantised, with scales under names of their own.</summary>
    [Theory]
    [InlineData("Int8")]
    [InlineData("Int64")]
    public void Whole_numbers_are_no_weights(string type)
    {
        using var checkpoint = new NamedWeights(NamedWeights.Manifest("torchvision_deeplabv3_r50_aux"));
        checkpoint.Store("backbone.conv1.weight", Enum.Parse<DType>(type));
        ModelDescription description = Dialect.Describe(checkpoint, null, new DialectChoice());
        using var weights = new WeightReader(checkpoint, description);
        string message = Assert.Throws<ModelException>(weights.ReadStem).Message;
        Assert.Contains($"'backbone.conv1.weight' is stored as {type.ToLowerInvariant()}", message);
    }

    private sealed class WeightReader(NamedWeights checkpoint, ModelDescription description) : IDisposable
    {
        private readonly WeightBinder _binder = new(checkpoint, description.Names);

        public void ReadStem()
        {
            _binder.Kernel("backbone.stem.conv1", 3, 1, 7, 7).ToArray();
            _binder.Norm("backbone.stem.conv1", 64, 1e-5);
        }

        public void Dispose() => checkpoint.Dispose();
    }
}
