using System.Text;
using Atrous.Checkpoints;

namespace Atrous.Tests.Checkpoints;

/// <summary>Pickles made by hand: forms that the goldens lack, and limits.</summary>
public sealed class PickleTests : IDisposable
{
    private const string Array =
        "cnumpy.core.multiarray\n_reconstruct\n(cnumpy\nndarray\n(I0\ntS'b'\ntR(I1\n(I2\ntcnumpy\ndtype\n(S'f4'\nI0\nI1\ntR(I3\nS'<'\nNNNI-1\nI-1\nI0\ntbI00\n";

    private readonly string _path = Path.Combine(Path.GetTempPath(), Path.GetRandomFileName() + ".pkl");

    [Fact]
    public void Reads_protocol_0_as_python_2_wrote_it()
    {
        Write($"(dp0\nS'w'\np1\n{Array}S'\\x00\\x00\\x80?\\x00\\x00\\x00\\xc0'\ntbsS'note'\nV\\u00e9t\\u00e9\nsS'epoch'\nL12L\ns.");
        using Checkpoint checkpoint = Checkpoint.Open(_path);
        var values = new float[2];
        checkpoint.Read("w", values);
        Assert.Equal([1f, -2f], values);
        Assert.Equal("\u00e9t\u00e9", checkpoint.Extras["note"]);
        Assert.Equal("12", checkpoint.Extras["epoch"]);
        Assert.Equal("numpy-pickle", checkpoint.Container);
    }

    [Fact]
    public void Reads_big_endian_arrays_in_fortran_order()
    {
        // [[1, 2], [3, 4]] by columns.
        string state = Array.Replace("S'<'", "S'>'", StringComparison.Ordinal)
            .Replace("(I2\nt", "(I2\nI2\nt", StringComparison.Ordinal)
            .Replace("tbI00\n", "tbI01\n", StringComparison.Ordinal);
        Write($"(dS'w'\n{state}S'?\\x80\\x00\\x00@@\\x00\\x00@\\x00\\x00\\x00@\\x80\\x00\\x00'\ntbs.");
        using Checkpoint checkpoint = Checkpoint.Open(_path);
        var values = new float[4];
        checkpoint.Read("w", values);
        Assert.Equal([1f, 2f, 3f, 4f], values);
        Assert.Equal([2, 2], checkpoint.Weights["w"].Shape);
    }

    [Theory]
    [InlineData("c__main__\nNet\n)R.", "'__main__.Net'")]
    [InlineData("(cos\nsystem\nS'true'\no.", "os.system")]
    [InlineData("(S'true'\nios\nsystem\n.", "os.system")]
    [InlineData("(lI1\na.", "no dictionary of weights")]
    [InlineData("(dS'w'\ncunknown.module\nThing\n)Rs.", "'unknown.module.Thing'")]
    [InlineData("(dS'w'\nI1\nI2\ns.", "malformed")]
    [InlineData("(0.", "takes more values than it has")]
    [InlineData("(P1\n.", "storages it does not hold")]
    public void Refuses_what_is_no_weights(string pickle, string reason)
    {
        Write(pickle);
        ModelException error = Assert.Throws<ModelException>(() => Checkpoint.Open(_path));
        Assert.Contains(reason, error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("}0", 5_000_000)]
    [InlineData("}", 2_000_000)]
    [InlineData("(", 5_000_000)]
    [InlineData("N2", 5_000_000)]
    [InlineData("](e", 2_000_000)]
    [InlineData("N\u0085", 2_000_000)]
    public void Refuses_endless_pickles_within_its_limits(string unit, int repetitions)
    {
        Write("(d" + string.Concat(Enumerable.Repeat(unit, repetitions)));
        long allocated = GC.GetAllocatedBytesForCurrentThread();
        Assert.Throws<ModelException>(() => Checkpoint.Open(_path));
        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - allocated, 0, 250 << 20);
    }

    [Fact]
    public void Unknown_objects_beside_the_weights_are_inert()
    {
        Write($"(dS'config'\ncmy.project\nConfig\n)R(dS'lr'\nF0.1\nsbsS'state_dict'\n(dS'w'\n{Array}S'\\x00\\x00\\x80?\\x00\\x00\\x00\\xc0'\ntbss.");
        using Checkpoint checkpoint = Checkpoint.Open(_path);
        Assert.Equal("state_dict", checkpoint.WeightsPath);
        Assert.Equal(["w"], checkpoint.Weights.Keys);
    }

    public void Dispose() => File.Delete(_path);

    private void Write(string latin1) => File.WriteAllBytes(_path, Encoding.Latin1.GetBytes(latin1));
}
