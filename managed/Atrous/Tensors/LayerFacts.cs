namespace Atrous.Tensors;

/// <summary>
/// What a file that holds whole modules says of the layer that a weight belongs to. Null where it does not say.
/// </summary>
internal sealed record LayerFacts
{
    public int? Stride { get; init; }

    public int? Dilation { get; init; }

    /// <summary>What a norm adds to the variance.</summary>
    public double? Epsilon { get; init; }

    /// <summary>By what its output is enlarged, where a module that does that comes next.</summary>
    public double? Enlargement { get; init; }

    /// <summary>The class of the function that its output goes through then: "Sigmoid".</summary>
    public string? Activation { get; init; }

    /// <summary>The class of what makes its output smaller in place of a stride: "BlurPool2d", "AvgPool2d".</summary>
    public string? Smoother { get; init; }
}
