using Atrous.Tensors;

namespace Atrous;

/// <summary>What a network makes of a normalised input; for parity work. Dispose it to give the memory back.</summary>
/// <param name="Forward">Exactly what the original implementation's forward returns, NHWC.</param>
/// <param name="Output">
/// Logits at the input's height and width, NHWC: what the mask is made of. May be the same tensor.
/// </param>
public sealed record NetworkResult(Tensor Forward, Tensor Output) : IDisposable
{
    public void Dispose()
    {
        Forward.Dispose();
        Output.Dispose();
    }
}
