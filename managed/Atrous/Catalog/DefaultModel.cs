using System.Diagnostics.CodeAnalysis;

namespace Atrous.Catalog;

/// <summary>
/// The network that comes with Atrous: DeepLabV3+ on three stages of ResNet-18, trained by models/train on the road
/// scenes of CamVid. models/README.md is its model card.
/// </summary>
public static class DefaultModel
{
    /// <summary>The name that <see cref="ModelPath"/> takes.</summary>
    public const string Name = "atrous-street";

    /// <summary>For people.</summary>
    public const string Summary = "11 road-scene classes";

    /// <summary>
    /// models/atrous-street.safetensors beside the program, where every build and every publication copies it; beside
    /// this assembly where the program is another's, which has loaded it.
    /// </summary>
    public static string Path { get; } = Find();

    /// <summary>The path, for who is about to read the file.</summary>
    /// <exception cref="UnavailableException">The file is not there.</exception>
    internal static string Existing() => File.Exists(Path)
        ? Path
        : throw new UnavailableException(
            $"The default model is not at '{Path}'; the NuGet package Atrous brings it: let the program's own " +
            "project refer to the package, and keep the folder models when you copy the program.");

    [UnconditionalSuppressMessage("SingleFile", "IL3000",
        Justification = "A program of one file has the model beside itself; an assembly's path is the second choice.")]
    private static string Find()
    {
        string file = System.IO.Path.Combine("models", Name + ".safetensors");
        string beside = System.IO.Path.Combine(AppContext.BaseDirectory, file);
        string assembly = typeof(DefaultModel).Assembly.Location;
        return File.Exists(beside) || assembly.Length == 0
            ? beside
            : System.IO.Path.Combine(System.IO.Path.GetDirectoryName(assembly)!, file);
    }
}
