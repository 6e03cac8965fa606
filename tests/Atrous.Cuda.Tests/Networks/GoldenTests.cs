using Atrous.Backends.Cuda;
using Atrous.Tests.Models;
using Atrous.Tests.Support;

namespace Atrous.Cuda.Tests.Networks;

/// <summary>Whole networks against the outputs of the original implementations.</summary>
public sealed class GoldenTests(ITestOutputHelper output)
{
    public static TheoryData<string> Every => Golden.Of();

    [Theory]
    [MemberData(nameof(Every))]
    public void Fp32_gives_the_original_s_logits(string name)
    {
        using CudaBackend backend = AllBackends.Open(Precision.Fp32);
        Golden golden = Golden.Load(name);
        output.WriteLine($"{GoldenNetworks.Run(golden, backend, Tolerance.Network)}, noise {golden.Noise:0.00e+00}");
    }
}
