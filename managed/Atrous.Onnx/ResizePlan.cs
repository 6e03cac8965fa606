using Atrous.Graph;

namespace Atrous.Onnx;

/// <summary>How an exported resize gets its size.</summary>
internal abstract record ResizePlan
{
    private ResizePlan()
    {
    }

    /// <summary>The value has the size already, whatever the input's.</summary>
    public sealed record Nothing : ResizePlan;

    /// <summary>To the size of another value, or (null) to a size that never changes.</summary>
    public sealed record ToSize(Value? Like, int Height, int Width) : ResizePlan;

    /// <summary>
    /// By a factor, rounded down; the grid follows the factor. What lies beyond <paramref name="Cut"/> is cut off.
    /// </summary>
    public sealed record ByFactor(float Factor, ToSize? Cut) : ResizePlan;
}
