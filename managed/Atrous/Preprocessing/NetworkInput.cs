using Atrous.Tensors;

namespace Atrous.Preprocessing;

/// <summary>One picture or a batch of pictures, ready for a network. Dispose it to give the tensor back.</summary>
/// <param name="tensor">The input, float32 [N, height, width, channels], which is disposed with this object.</param>
/// <param name="plan">The plan that all its pictures share.</param>
public sealed class NetworkInput(Tensor tensor, PreprocessingPlan plan) : IDisposable
{
    /// <summary>
    /// Float32, [N, <see cref="PreprocessingPlan.Height"/>, <see cref="PreprocessingPlan.Width"/>, channels].
    /// </summary>
    public Tensor Tensor => tensor;

    /// <summary>The size of the input and the window that each picture occupies in it.</summary>
    public PreprocessingPlan Plan => plan;

    public void Dispose() => tensor.Dispose();
}
