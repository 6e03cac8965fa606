using Atrous.Backends;
using Atrous.Backends.Cuda;
using Atrous.Cuda.Tests.Support;
using Atrous.Graph;
using Atrous.Graph.Ops;
using Atrous.Tests.Backends;
using Atrous.Tests.Support;

namespace Atrous.Cuda.Tests.Networks;

/// <summary>
/// Every call of the driver, cuDNN and cuBLASLt fails once, by number: the run is right all the same, or ends in one
/// sentence; the next one is right; nothing is left behind.
/// </summary>
public sealed class CallFaultTests(ITestOutputHelper output)
{
    /// <summary>
    /// Set to 1 every call fails in turn where engines are timed too, thousands that take some minutes.
    /// </summary>
    private const string AllVariable = "ATROUS_TEST_ALL_FAULTS";

    /// <summary>
    /// Of the calls that timing makes, those that are taken otherwise; prime, so that all kinds come.
    /// </summary>
    private const int Step = 29;

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Whichever_call_fails_it_is_a_sentence_or_no_matter(bool tuning)
    {
        SoftwareDevice.Require();
        (NetworkGraph graph, float[] input) = Network();
        var expected = (float[])Running.Reference(graph, input)[0];
        long[] before = Counts();
        int good = 0, refused = 0, nth = 1;
        int step = tuning && Environment.GetEnvironmentVariable(AllVariable) != "1" ? Step : 1;
        for (bool reached = true; reached; nth += step)
        {
            SoftwareDevice.FailCall(nth);
            (bool ended, string? sentence) = RunThrice(tuning, graph, input, expected);
            reached = SoftwareDevice.HasFailed;
            SoftwareDevice.FailCall(0);
            if (sentence is not null)
            {
                refused++;
                Assert.Matches(@"^[A-Z][^\n]*\.$", sentence);
                Assert.DoesNotContain("   at ", sentence);
            }
            good += ended ? 1 : 0;
            Assert.Equal(0, SoftwareDevice.Check());
            long[] after = Counts();
            if (!before.SequenceEqual(after))
            {
                // What a failing constructor leaves has an owner, who frees it when the collector comes.
                GC.Collect();
                GC.WaitForPendingFinalizers();
                after = Counts();
            }
            Assert.True(before.SequenceEqual(after),
                $"Call {nth} ({sentence}) left {string.Join(' ', after)} of {string.Join(' ', before)} behind.");
        }
        output.WriteLine(
            $"{nth - 1} calls, every {step}.: {good} runs were right all the same, {refused} ended in a sentence");
        Assert.True(good > 0 && refused > 0);
        Assert.True(nth > 200);
    }

    /// <summary>The whole life of a backend, of which a call fails; then a run that is right.</summary>
    private static (bool Ended, string? Sentence) RunThrice(
        bool tuning, NetworkGraph graph, float[] input, float[] expected)
    {
        try
        {
            using CudaBackend backend = AllBackends.Open(
                Precision.Tf32, new CudaOptions { Tuning = tuning, Warn = null, Log = null });
            string? sentence = null;
            using IExecutable executable = backend.Compile(graph);
            for (int run = 0; run < 3; run++)
            {
                try
                {
                    Tolerance.AssertWithin(
                        5e-3, (float[])Running.Run(executable, graph, input)[0], expected, "with a call that failed");
                }
                catch (AtrousException e)
                {
                    Assert.Null(sentence);
                    sentence = e.Message;
                }
            }
            return (sentence is null, sentence);
        }
        catch (AtrousException e)
        {
            return (false, e.Message);
        }
    }

    /// <summary>
    /// A fused convolution with a residual, two products, a depthwise one, of which some may overlap.
    /// </summary>
    private static (NetworkGraph Graph, float[] Input) Network()
    {
        var builder = new GraphBuilder();
        Value x = builder.Input("x", new(1, 3, 4, 8));
        Value a = builder.Add(
            "a", new Conv2d(OpCase.Weight("a", 8, 8, 3, 3), null, OpCase.Numbers("a.bias", 8, 1), 1, 1,
                Padding.Symmetric(1), 1, Activation.Relu), x, x);
        Value b = builder.Add(
            "b", new Conv2d(
                OpCase.Weight("b", 8, 1, 3, 3), null, null, 1, 1, Padding.Symmetric(1), 8, Activation.None), a);
        Value beside = builder.Add(
            "c", new Conv2d(OpCase.Weight("c", 8, 8, 1, 1), null, null, 1, 1, Padding.None, 1, Activation.None), a);
        Value y = builder.Add(
            "y", new Conv2d(OpCase.Weight("y", 8, 8, 1, 1), null, null, 1, 1, Padding.None, 1, Activation.None), b,
            beside);
        return (builder.Build(y), OpCase.Numbers("x", (int)x.Shape.Elements, 1));
    }

    private static long[] Counts() => [.. Enum.GetValues<Live>().Select(SoftwareDevice.Count)];
}
