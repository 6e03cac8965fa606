using System.Buffers.Binary;
using System.IO.Compression;
using System.Text;
using System.Text.Json;
using Atrous.Catalog;
using Atrous.Checkpoints;
using Atrous.Checkpoints.Pickles;
using Atrous.Imaging;
using Atrous.Imaging.Maps;
using Atrous.Server.OpenInference;
using Atrous.Server.V1;
using Microsoft.AspNetCore.Http;

namespace Atrous.Fuzz;

/// <summary>Everything that reads what strangers made.</summary>
internal static class Targets
{
    private const string Pickle =
        "(dp0\nS'state_dict'\n(dS'w'\ncnumpy\nndarray\n)R(I1\n(I1\ntcnumpy\ndtype\n(S'f4'\ntRI00\nS'abcd'\ntbssS'epoch'\nI3\ns.";

    private const string Torch =
        "\u0080\u0002}q\u0000(X\u0001\0\0\0wctorch._utils\n_rebuild_tensor_v2\n((S'storage'\nctorch\nFloatStorage\nS'0'\nS'cpu'\n"
        + "I2\ntQI0\n(I2\nt(I1\ntI00\nNtRX\u0001\0\0\0bK\u0003u.";

    private const string Header =
        """{"__metadata__":{"atrous.version":"2","network":"{}","class_names":"[\"a\"]"},"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},"b":{"dtype":"F16","shape":[1,2],"data_offsets":[8,12]}}""";

    private const string Published =
        """{"models":[{"name":"toy","dialect":"VainF","classes":2,"licence":"MIT","data":"toys","source":"me","files":[{"url":"https://example.org/weights.pth","sha256":"01234567","size":12}]}]}""";

    private const string Infer =
        """{"id":"1","inputs":[{"name":"image","datatype":"UINT8","shape":[1,2,2,3],"data":[1,2,3,4,5,6,7,8,9,10,11,12]}],"outputs":[{"name":"mask"}],"parameters":{"priority":1}}""";

    private const string Form =
        "--x\r\nContent-Disposition: form-data; name=\"image\"; filename=\"a.png\"\r\n\r\n\u0089PNG\r\n\u001a\n\r\n--x--\r\n";

    private const long MaxPixels = 1 << 22;

    private const int MaxSeed = 20_000;

    private static readonly Lazy<string> Folder = new(() =>
    {
        string folder = Directory.CreateTempSubdirectory("atrous-fuzz-").FullName;
        AppDomain.CurrentDomain.ProcessExit += (_, _) => Directory.Delete(folder, recursive: true);
        return folder;
    });

    public static IReadOnlyList<Target> All { get; } =
    [
        new("catalog", () => [Text(Published)], Mutation.OfJson, ReadCatalog, e => e is UnavailableException),
        new("config", () => [], Mutation.OfJson, DescribedWeights.Read, e => e is AtrousException),
        new("form", () => [Text(Form)], Mutation.Blind, ReadForm, e => e is BadHttpRequestException),
        new("infer", () => [Text(Infer)], Mutation.OfJson, ReadInfer,
            e => e is BadHttpRequestException or JsonException),
        new("legacy", () => [Legacy()], Mutation.OfPickle, input => Open(input, "a.pth"), e => e is ModelException),
        new("map", () => [], Mutation.OfPicture, ReadMap, e => e is ImageException),
        new("picture", Pictures, Mutation.OfPicture, ReadPicture, e => e is ImageException),
        new("pickle", () => [Text(Pickle)], Mutation.OfPickle, input => Open(input, "a.pkl"), e => e is ModelException),
        new("python", () => [], Mutation.OfPython, ReadPython, _ => false),
        new("safetensors", () => [Text(Header)], Mutation.OfJson, ReadSafetensors, e => e is ModelException),
        new("torch", () => [Text(Torch)], Mutation.OfPickle, ReadZip, e => e is ModelException),
        new("zip", () => [Zip(Text(Torch))], Mutation.Blind, input => Open(input, "a.pth"), e => e is ModelException),
    ];

    /// <summary>Names, shapes, and the values of all tensors that are not large.</summary>
    private static void Open(byte[] bytes, string name)
    {
        using Checkpoint checkpoint = Checkpoint.Open(bytes, name);
        foreach ((string tensor, var info) in checkpoint.Weights)
        {
            if (info.Elements <= 1 << 16)
                checkpoint.Read(tensor, new float[info.Elements]);
        }
        _ = checkpoint.Sets.SelectMany(sets => sets).Take(100).Count();
        _ = checkpoint.Beside.Count;
        _ = checkpoint.Extras.Count;
    }

    private static void ReadZip(byte[] pickle) => Open(Zip(pickle), "a.pth");

    private static void ReadSafetensors(byte[] header)
    {
        var length = new byte[8];
        BinaryPrimitives.WriteInt64LittleEndian(length, header.Length);
        Open([.. length, .. header, .. new byte[12]], "a.safetensors");
    }

    private static void ReadCatalog(byte[] json) => InFile("catalog.json", json, path => PublishedModels.Read(path));

    private static void ReadPython(byte[] source) => PythonConfig.Read(Encoding.Latin1.GetString(source));

    /// <summary>
    /// What a header says is what the picture has, and its pixels are those of a plain decoder, or it is refused.
    /// </summary>
    private static void ReadPicture(byte[] file)
    {
        ImageInfo header = Image.Probe(file);
        using Image photo = Image.Load(file, MaxPixels);
        if ((photo.Height, photo.Width, photo.Channels) != (header.Height, header.Width, header.Channels))
            throw new InvalidOperationException($"{photo} of {header.Width} x {header.Height}, {header.Channels}");
        PlainPicture.Judge(file, photo);
    }

    /// <summary>All of a raster in two windows, whose sizes do not divide its own; and its place.</summary>
    private static void ReadMap(byte[] file) => InFile("map.tif", file, path =>
    {
        _ = TiffFacts.Of(path);
        var reading = new RasterReading
        {
            Channels = 3, Nothing = channels => new float[channels], White = 255, Bands = [1], MaxPixels = MaxPixels,
        };
        using var raster = new TiffRaster(path, reading);
        int half = (raster.Height + 1) / 2;
        using Image upper = raster.Window(0, 0, half, raster.Width);
        if (half < raster.Height)
            raster.Window(half, raster.Width / 2, raster.Height - half, raster.Width - raster.Width / 2).Dispose();
        raster.FindMissing(0, new bool[half * raster.Width]);
        _ = raster.Reference?.PixelArea(half);
    });

    private static void ReadInfer(byte[] json) => InferRequestReader.Read(json, null, 64);

    private static void ReadForm(byte[] body) =>
        PictureFile.FindAsync("multipart/form-data; boundary=x", body, CancellationToken.None).GetAwaiter().GetResult();

    /// <summary>In a folder that is this process's own.</summary>
    private static void InFile(string name, byte[] bytes, Action<string> read)
    {
        string path = Path.Combine(Folder.Value, name);
        File.WriteAllBytes(path, bytes);
        read(path);
    }

    /// <summary>Those that the tests of pictures have, if they are not large.</summary>
    private static IEnumerable<byte[]> Pictures() =>
        new[] { "fixtures", "pictures" }
            .SelectMany(folder => Directory.GetFiles($"tests/Atrous.Tests/Imaging/{folder}"))
            .Where(path => Path.GetExtension(path) is not (".py" or ".json"))
            .Order(StringComparer.Ordinal).Select(File.ReadAllBytes).Where(file => file.Length < MaxSeed);

    private static byte[] Zip(byte[] pickle)
    {
        var bytes = new MemoryStream();
        using (var zip = new ZipArchive(bytes, ZipArchiveMode.Create, leaveOpen: true))
        {
            using (Stream stream = zip.CreateEntry("m/data.pkl", CompressionLevel.Fastest).Open())
                stream.Write(pickle);
            using Stream data = zip.CreateEntry("m/data/0", CompressionLevel.NoCompression).Open();
            data.Write(new byte[8]);
        }
        return bytes.ToArray();
    }

    /// <summary>Magic number, protocol, system, the object, the storages' keys, the storage.</summary>
    private static byte[] Legacy() =>
    [
        .. Text("\u0080\u0002\u008a\nl\u00fc\u009cF\u00f9 j\u00a8P\u0019.\u0080\u0002M\u00e9\u0003.\u0080\u0002}."),
        .. Text(Torch), .. Text("\u0080\u0002]U\u00010a."), 2, 0, 0, 0, 0, 0, 0, 0, .. new byte[8],
    ];

    private static byte[] Text(string latin1) => Encoding.Latin1.GetBytes(latin1);
}
