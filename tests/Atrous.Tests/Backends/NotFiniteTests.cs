using Atrous.Backends;
using Atrous.Graph;
using Atrous.Graph.Ops;
using Atrous.Tensors;
using Atrous.Tests.Support;

namespace Atrous.Tests.Backends;

/// <summary>Labels of scores that are infinite or no numbers are refused on every backend, and only those.</summary>
public sealed class NotFiniteTests
{
    private const int Classes = 21;

    public static TheoryData<string, bool> Rows =>
        [.. AllBackends.Names.SelectMany(_ => new[] { false, true }, (name, upsampled) => (name, upsampled))];

    [Theory]
    [MemberData(nameof(Rows))]
    public void Infinite_scores_have_no_labels(string name, bool upsampled)
    {
        var builder = new GraphBuilder();
        ResizeBilinear? resize = upsampled ? new ResizeBilinear(19, 23, Sampling.HalfPixel) : null;
        Value logits = builder.Input("logits", new Shape(2, 7, 9, Classes));
        NetworkGraph graph = builder.Build(builder.Add("labels", new Argmax(resize), logits));
        using IBackend backend = AllBackends.Create(name);
        using IExecutable executable = backend.Compile(graph);
        float[] scores = new float[logits.Shape.Elements];
        var random = new Random(11);
        for (int i = 0; i < scores.Length; i++)
            scores[i] = random.NextSingle() * 200 - 100;
        Array expected = Running.Run(executable, graph, scores)[0];
        foreach (float infinite in (float[])[float.PositiveInfinity, float.NaN])
        {
            // A class of the first pixel, of the middle, and the last of all.
            foreach (int at in (int[])[0, 3, scores.Length / 2, scores.Length - 1])
            {
                float[] overflowed = [.. scores];
                overflowed[at] = infinite;
                Assert.Throws<ScoreException>(() => Running.Run(executable, graph, overflowed));
                // Nothing of it is left in the next run.
                Assert.Equal(expected, Running.Run(executable, graph, scores)[0]);
            }
        }
    }
}
