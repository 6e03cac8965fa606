namespace Atrous.Catalog;

/// <summary>
/// The network that comes with Atrous: DeepLabV3+ with MobileNetV2, trained by models/train on the road scenes of
/// CamVid. models/README.md is its model card.
/// </summary>
public static class DefaultModel
{
    /// <summary>The name that <see cref="ModelPath"/> takes.</summary>
    public const string Name = "atrous-street";

    /// <summary>For people.</summary>
    public const string Summary = "11 road-scene classes";

    /// <summary>
    /// models/atrous-street.safetensors beside this assembly, where every build and every publication copies it.
    /// </summary>
    public static string Path { get; } = System.IO.Path.Combine(Folder(), "models", Name + ".safetensors");

    private static string Folder()
    {
        string assembly = typeof(DefaultModel).Assembly.Location;
        // A program that was published as one file has its assemblies in itself, and the model beside it.
        return assembly.Length > 0 ? System.IO.Path.GetDirectoryName(assembly)! : AppContext.BaseDirectory;
    }
}
