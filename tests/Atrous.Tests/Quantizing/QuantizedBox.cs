using Atrous.Catalog;
using Atrous.Imaging;
using Atrous.Quantizing;
using Atrous.Tests.Support;

namespace Atrous.Tests.Quantizing;

/// <summary>The model in the box, quantised once for all tests of a class.</summary>
public sealed class QuantizedBox : IDisposable
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("atrous-quantized-");

    public QuantizedBox()
    {
        using Image street = Image.Load(Repository.PathOf("samples/street.png"));
        var pictures = new List<string>();
        for (int i = 0; i < 5; i++)
        {
            using Image part = street.Crop(150 * i, 200 * i, 240, 320);
            pictures.Add(PathOf($"{i}.png"));
            part.SavePng(pictures[^1]);
        }
        Pictures = pictures;
        File = PathOf("street.int8.safetensors");
        Report = Quantizer.Quantize(
            DefaultModel.Existing(), File, Pictures, null, new QuantizeOptions { Agreement = 0.97 });
    }

    public string File { get; }

    public QuantizationReport Report { get; }

    public IReadOnlyList<string> Pictures { get; }

    public string PathOf(string name) => Path.Combine(_folder.FullName, name);

    public void Dispose() => _folder.Delete(recursive: true);
}
