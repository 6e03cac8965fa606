using Atrous.Checkpoints.Containers;
using Atrous.Tensors;
using Atrous.Tests.Support;

[assembly: AssemblyFixture(typeof(Atrous.Tests.Segmenters.GeneratedModel))]

namespace Atrous.Tests.Segmenters;

/// <summary>
/// A checkpoint file with generated weights (VainF's DeepLabV3+ on MobileNetV2, 5 classes), made once for all tests.
/// </summary>
public sealed class GeneratedModel : IDisposable
{
    /// <summary>The golden whose weights it has.</summary>
    public const string Name = "vainf_deeplabv3plus_mobilenet_os16_97x129";

    private readonly string _folder = Directory.CreateTempSubdirectory("atrous-tests-").FullName;

    public GeneratedModel()
    {
        Path = System.IO.Path.Combine(_folder, "mobilenet.safetensors");
        Write(Golden.Load(Name), Path);
    }

    /// <summary>Writes the same with the last two layers of the head so much larger.</summary>
    public static void WriteEnlarged(string path, float factor) =>
        Write(Golden.Load(Name), path, change: (name, values) =>
        {
            if (name is not ("classifier.classifier.1.weight" or "classifier.classifier.3.weight"))
                return;
            for (int i = 0; i < values.Length; i++)
                values[i] *= factor;
        });

    /// <summary>The safetensors file.</summary>
    public string Path { get; }

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    /// <summary>
    /// Writes a golden's weights, or some of them, or other ones in their place, as a safetensors file with the
    /// golden's own names.
    /// </summary>
    public static void Write(
        Golden golden, string path, Func<string, bool>? keep = null, Action<string, float[]>? change = null)
    {
        using GeneratedWeights weights = golden.Weights();
        WeightInfo[] tensors = [.. weights.Weights.Values.Where(tensor => keep?.Invoke(tensor.Name) ?? true)];
        using var writer = new SafetensorsWriter(path, tensors);
        foreach (WeightInfo tensor in tensors)
        {
            var values = new float[tensor.Elements];
            weights.Read(tensor.Name, values);
            change?.Invoke(tensor.Name, values);
            writer.Write(tensor.Name, values);
        }
        writer.Complete();
    }
}
