using Atrous.Imaging;
using BenchmarkDotNet.Attributes;

namespace Atrous.Bench;

/// <summary>The stages of a segmentation. ATROUS_BENCH_MODEL names the checkpoint, ATROUS_BENCH_PHOTO the picture.</summary>
[MemoryDiagnoser]
[ShortRunJob]
public class SegmenterStages
{
    private Segmenter _segmenter = null!;
    private byte[] _file = null!;
    private Image _photo = null!;
    private Segmentation _mask = null!;

    [GlobalSetup]
    public void Load()
    {
        _segmenter = Segmenter.Load(Variable("ATROUS_BENCH_MODEL"));
        _file = File.ReadAllBytes(Variable("ATROUS_BENCH_PHOTO"));
        _photo = Image.Load(_file);
        _mask = _segmenter.Segment(_photo);
    }

    [Benchmark]
    public void Decode() => Image.Load(_file).Dispose();

    [Benchmark]
    public Segmentation Segment() => _segmenter.Segment(_photo);

    [Benchmark]
    public void Overlay() => _mask.Overlay(_photo).Dispose();

    [Benchmark]
    public void EncodeMask() => _mask.SaveMask(Stream.Null);

    [GlobalCleanup]
    public void Close()
    {
        _photo.Dispose();
        _segmenter.Dispose();
    }

    private static string Variable(string name) =>
        Environment.GetEnvironmentVariable(name) ?? throw new InvalidOperationException($"Set the environment variable {name}.");
}
