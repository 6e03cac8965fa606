using System.Collections.Concurrent;

namespace Atrous.Tensors;

/// <summary>Filters of one tap that is 1, for layers that only scale: of no file, and the same for all.</summary>
internal sealed class Ones : IWeightSource
{
    private static readonly ConcurrentDictionary<int, Weight> Made = new();

    private readonly WeightInfo _info;

    private Ones(int channels) => _info = new WeightInfo("ones", DType.Float32, [channels, 1, 1, 1]);

    public IReadOnlyDictionary<string, WeightInfo> Weights =>
        new Dictionary<string, WeightInfo> { [_info.Name] = _info };

    /// <summary>The filters of a depthwise convolution of so many channels, [channels, 1, 1, 1].</summary>
    public static Weight Of(int channels) => Made.GetOrAdd(channels, static count =>
    {
        var ones = new Ones(count);
        return new Weight(ones, ones._info);
    });

    public void Read(string name, Span<float> destination) => destination.Fill(1);

    public void Dispose()
    {
    }
}
