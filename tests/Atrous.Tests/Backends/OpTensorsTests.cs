using Atrous.Backends;
using Atrous.Graph;
using Atrous.Graph.Ops;
using Atrous.Tensors;
using Atrous.Tests.Support;

namespace Atrous.Tests.Backends;

/// <summary>Tensors that are disposed while a backend works on them.</summary>
public sealed class OpTensorsTests
{
    public static TheoryData<string> Backends => [.. AllBackends.Names];

    /// <summary>Memory of such a size is the system's again at once: who still reads it ends the process.</summary>
    [Theory]
    [MemberData(nameof(Backends))]
    public void Their_memory_is_there_for_as_long_as_the_run_takes(string name)
    {
        var builder = new GraphBuilder();
        Value input = builder.Input("x", new Shape(1, 768, 768, 16));
        NetworkGraph graph = builder.Build(builder.Add("relu", new Activate(Activation.Relu), input));
        using IBackend backend = AllBackends.Create(name);
        using IExecutable executable = backend.Compile(graph);
        for (int round = 0; round < 6; round++)
        {
            var given = new Tensor(input.Shape);
            var made = new Tensor(graph.Outputs[0].Shape);
            given.Image<float>(0).Fill(-1);
            using var begins = new ManualResetEventSlim();
            Exception? failure = null;
            var caller = new Thread(() =>
            {
                begins.Set();
                failure = Record.Exception(() => executable.Run([given], [made]));
            });
            caller.Start();
            begins.Wait();
            Thread.Sleep(2 * round);
            given.Dispose();
            made.Dispose();
            caller.Join();
            Assert.True(failure is null or ObjectDisposedException, failure?.ToString());
        }
    }

    [Fact]
    public void Who_holds_a_disposed_tensor_has_its_memory_and_who_comes_later_does_not()
    {
        Tensor tensor = new(new Shape(1, 1, 1, 4)), other = new(new Shape(1, 1, 1, 4));
        tensor.Image<float>(0).Fill(3);
        using (new TensorLease([other], [tensor]))
        {
            tensor.Dispose();
            Assert.Equal([3f, 3f, 3f, 3f], tensor.Image<float>(0).ToArray());
        }
        Assert.Throws<ObjectDisposedException>(() => tensor.Image<float>(0).ToArray());
        Assert.Throws<ObjectDisposedException>(() => new TensorLease([other, tensor]).Dispose());
        Assert.Throws<ObjectDisposedException>(() => new TensorLease([other], [other, tensor]).Dispose());
        // Those before it are held no more: this frees it.
        other.Dispose();
        Assert.Throws<ObjectDisposedException>(() => new TensorLease([other]).Dispose());
    }
}
