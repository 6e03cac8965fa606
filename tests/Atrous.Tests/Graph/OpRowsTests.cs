using System.Globalization;
using System.Reflection;
using System.Text.RegularExpressions;
using Atrous.Graph;
using Atrous.Graph.Ops;
using Atrous.Graph.Passes;
using Atrous.Tests.Backends;
using Atrous.Tests.Support;

namespace Atrous.Tests.Graph;

/// <summary>
/// An operation needs a row wherever operations are told apart, and a pass a place in a list. These tests name the file
/// that still lacks one.
/// </summary>
public sealed class OpRowsTests
{
    private const string SwitchArm = @"^\s+{0}(?: \w+)? (?:=>|when )";
    private const string Case = @"case {0}\b|is {0} \w+";

    /// <summary>Every file that has a row for each operation, and what a row looks like there.</summary>
    private static readonly (string File, string Row)[] Files =
    [
        ("managed/Atrous/Backends/Reference/ReferenceExecutable.cs", SwitchArm),
        ("managed/Atrous/Backends/Cpu/Steps.cs", SwitchArm),
        ("managed/Atrous/Backends/Cuda/DeviceFormats.cs", SwitchArm),
        ("managed/Atrous/Backends/Cuda/DeviceSteps.cs", SwitchArm),
        ("managed/Atrous.Onnx/GraphWriter.cs", Case),
    ];

    /// <summary>Rows that are not missing, and why.</summary>
    private static readonly Dictionary<(string File, Type Op), string> Exempt = new()
    {
        [("managed/Atrous/Backends/Cuda/DeviceFormats.cs", typeof(SeparableConv2d))] = "only the CPU applies its pass",
        [("managed/Atrous/Backends/Cuda/DeviceSteps.cs", typeof(SeparableConv2d))] = "only the CPU applies its pass",
        [("managed/Atrous.Onnx/GraphWriter.cs", typeof(SeparableConv2d))] = "made by a pass; exported graphs see none",
        [("managed/Atrous.Onnx/GraphWriter.cs", typeof(LabelsWithConfidence))] =
            "made by a pass; exported graphs see none",
        [("managed/Atrous.Onnx/GraphWriter.cs", typeof(Argmax))] = "an exported network ends with its logits",
        [("managed/Atrous.Onnx/GraphWriter.cs", typeof(Confidence))] = "an exported network ends with its logits",
    };

    public static TheoryData<Type> Operations =>
        [.. typeof(Op).Assembly.GetTypes().Where(type => type.IsSubclassOf(typeof(Op)) && !type.IsAbstract)];

    [Theory]
    [MemberData(nameof(Operations))]
    public void An_operation_has_its_row_in_every_file(Type op)
    {
        var missing = new List<string>();
        foreach ((string file, string row) in Files)
        {
            string pattern = string.Format(CultureInfo.InvariantCulture, row, op.Name);
            bool hasRow = Regex.IsMatch(File.ReadAllText(Repository.PathOf(file)), pattern, RegexOptions.Multiline);
            if (Exempt.TryGetValue((file, op), out string? reason))
                Assert.False(hasRow, $"{file} has a row for {op.Name}, so that it is exempt no more ({reason}).");
            else if (!hasRow)
                missing.Add(file);
        }
        Assert.True(missing.Count == 0, $"{op.Name} has no row in {string.Join(", ", missing)}; add it there.");
    }

    [Theory]
    [MemberData(nameof(Operations))]
    public void An_operation_has_a_case(Type op) => Assert.True(
        // PassTests makes a separable convolution, with the pass that nobody else makes one by.
        op == typeof(SeparableConv2d) || OpCases.All.Any(test => test.Op.GetType() == op),
        $"{op.Name} has no case in tests/Atrous.Tests/Backends/OpCases.cs; add one there.");

    [Fact]
    public void A_pass_is_in_one_of_the_lists()
    {
        IEnumerable<string> written = typeof(GraphPasses).Assembly.GetTypes()
            .Where(type => type.Namespace == typeof(GraphPasses).Namespace && type != typeof(GraphPasses))
            .Where(type =>
                type.GetMethod("Apply", BindingFlags.Static | BindingFlags.Public, [typeof(NetworkGraph)]) is not null)
            .Select(type => type.Name);
        IEnumerable<string> listed = GraphPasses.Fusions
            .Concat(GraphPasses.Storage).Concat(GraphPasses.StorageInBytes).Concat(GraphPasses.Layout)
            .Select(pass => pass.Name).Distinct();
        Assert.Equal(written.Order(StringComparer.Ordinal), listed.Order(StringComparer.Ordinal));
    }
}
