using Atrous.Tests.Models;
using Atrous.Tests.Segmenters;
using Atrous.Tests.Support;

namespace Atrous.Tests.Exporting;

/// <summary>A folder for one test, with a golden's weights as a checkpoint file.</summary>
internal sealed class ExportFolder : IDisposable
{
    private readonly string _folder;

    public ExportFolder(string golden)
    {
        Golden = Golden.Load(golden);
        _folder = Directory.CreateTempSubdirectory("atrous-export-").FullName;
        Model = PathOf("model.safetensors");
        GeneratedModel.Write(Golden, Model);
    }

    public Golden Golden { get; }

    /// <summary>The golden's own output stride and switches.</summary>
    public SegmenterOptions Options => GoldenNetworks.OptionsOf(Golden);

    /// <summary>The checkpoint.</summary>
    public string Model { get; }

    public string PathOf(string name) => Path.Combine(_folder, name);

    public void Dispose() => Directory.Delete(_folder, recursive: true);
}
