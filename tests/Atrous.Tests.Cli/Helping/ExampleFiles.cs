using Atrous.Checkpoints;
using Atrous.Checkpoints.Containers;
using Atrous.Tensors;
using Atrous.Tests.Cli.Videos;
using Atrous.Tests.Imaging.Maps;
using Atrous.Tests.Segmenters;

namespace Atrous.Tests.Cli.Helping;

/// <summary>The files that the examples of --help name, made once; each test has a copy of its own.</summary>
public sealed class ExampleFiles : IDisposable
{
    private readonly Workplace _place = new();

    public ExampleFiles(GeneratedModel model)
    {
        File.CreateSymbolicLink(_place["roads.pth"], model.Path);
        File.CreateSymbolicLink(_place["old.pth"], model.Path);
        foreach (string picture in new[] { "street.jpg", "photo.jpg", "aerial.png", "photos/a.png", "photos/b.png" })
            _place.AddPhoto(picture);
        var ortho = new GeoTiffFile { Height = 33, Width = 37, Bands = 5 };
        ortho.Write(_place["ortho.tif"], new float[33 * 37 * 5]);
        Tool.RunIn(_place.Folder, "segment", "photos", "--model", "roads.pth", "-o", "truth", "-q").Exits(0);
        foreach (string name in new[] { "a", "b" })
            File.Move(_place[$"truth/{name}.mask.png"], _place[$"truth/{name}.png"]);
        Tool.RunIn(_place.Folder, "segment", "photos", "--jsonl", "lines/0.jsonl", "-q").Exits(0);
        foreach (string part in new[] { "0/2", "1/2" })
        {
            Tool.RunIn(
                _place.Folder, "segment", "photos", "-o", "masks", "--format", "coco", "--shard", part, "-q").Exits(0);
        }
        using (var writer = new SafetensorsWriter(
            _place["input.safetensors"], [new WeightInfo("input", DType.Float32, [1, 3, 33, 33])]))
        {
            writer.Write("input", new float[3 * 33 * 33]);
            writer.Complete();
        }

        File.Copy(Clip.Path, _place["clip.mp4"]);
    }

    public void Dispose() => _place.Dispose();

    /// <summary>Copies all of them; a link stays one.</summary>
    public void CopyTo(string folder)
    {
        foreach (string path in _place.Files)
        {
            var file = new FileInfo(_place[path]);
            string copy = Path.Combine(folder, path);
            Directory.CreateDirectory(Path.GetDirectoryName(copy)!);
            if (file.LinkTarget is { } target)
                File.CreateSymbolicLink(copy, target);
            else
                file.CopyTo(copy);
        }
    }
}
