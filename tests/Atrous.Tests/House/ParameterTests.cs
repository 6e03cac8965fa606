using System.Reflection;
using System.Text.RegularExpressions;
using System.Xml.Linq;

namespace Atrous.Tests.House;

/// <summary>
/// IntelliSense shows a parameter's description alone: every parameter of a public member has one, and it is a whole
/// sentence as far as its words tell.
/// </summary>
public sealed partial class ParameterTests
{
    public static TheoryData<string> Packages =>
    [
        "Atrous", "Atrous.Onnx", "Atrous.Hosting", "Atrous.Server", "Atrous.ManagedCuda", "Atrous.ManagedCuda.CUBLAS",
        "Atrous.ManagedCuda.CUDNN",
    ];

    [Theory]
    [MemberData(nameof(Packages))]
    public void Every_parameter_has_a_description_that_is_a_sentence(string package)
    {
        string[] wrong =
        [
            .. Members(package).Where(member => member.Docs?.Element("inheritdoc") is null)
                .SelectMany(member => member.Parameters
                    .Select(name => (Name: name, Text: TextOf(member, name)))
                    .Where(parameter => !IsSentence(parameter.Text ?? ""))
                    .Select(parameter => $"{member.Id}: {parameter.Name}: {parameter.Text}")),
        ];
        Assert.True(wrong.Length == 0, string.Join('\n', wrong));
    }

    [Theory]
    [InlineData("Null for the defaults.")]
    [InlineData("Labels from the device.")]
    [InlineData("By the processor's clock.")]
    [InlineData("Pixels of the whole.")]
    [InlineData("Looked at between two layers.")]
    [InlineData("the picture is not changed.")]
    [InlineData("The picture, which stays as it is")]
    [InlineData("")]
    public void A_fragment_is_seen(string text) => Assert.False(IsSentence(text));

    /// <summary>
    /// Whole and not begun in the middle; its subject is named by an article or the like, or the parameter is the
    /// subject of one of the verbs that descriptions use.
    /// </summary>
    private static bool IsSentence(string text) =>
        Whole().IsMatch(text) && !Middle().IsMatch(text) && (Subject().IsMatch(text) || Verb().IsMatch(text));

    private static DocumentedMember[] Members(string package)
    {
        DocumentedMember[] members = [.. DocumentedMembers.Of(Assembly.Load(package))];
        Assert.NotEmpty(members);
        return members;
    }

    private static string? TextOf(DocumentedMember member, string parameter) => member.Docs?.Elements("param")
        .FirstOrDefault(element => element.Attribute("name")!.Value == parameter) is { } found ? Plain(found) : null;

    /// <summary>The words, with a reference as the name that it is shown as.</summary>
    private static string Plain(XElement element) => Space().Replace(
        string.Concat(element.DescendantNodes().Select(node => node switch
        {
            XText text => text.Value,
            XElement { HasElements: false, Value: "" } reference =>
                (reference.Attribute("cref") ?? reference.Attribute("name") ?? reference.Attribute("langword"))?.Value
                    .Split('(')[0].Split('.', ':')[^1] ?? "",
            _ => "",
        })), " ").Trim();

    /// <summary>At least four words from a capital letter, a number or a quote to a full stop.</summary>
    [GeneratedRegex(@"^[A-Z0-9""'\[](?:\S* ){3,}.*[.)]$")]
    private static partial Regex Whole();

    [GeneratedRegex(@"^(?:Of|By|In|At|From|For|With|Without|To|As|Null|After|Before|Looked) ")]
    private static partial Regex Middle();

    [GeneratedRegex(
        "^(?:The|A|An|One|Two|Each|Every|All|Its|How|Whether|What|Which|Who|Where|When|This|These|Those|That|Some|Any|No|"
        + "Most|Many|It|True) ")]
    private static partial Regex Subject();

    [GeneratedRegex(
        @"\b(?:is|are|was|were|has|have|may|must|can|cannot|does|do|says?|tells?|takes?|gives?|makes?|means?|stands?|gets?"
        + @"|goes|comes?|needs?|keeps?|decides?|holds?|counts?|runs?|reads?|writes?|lies?|looks?|begins?|ends?|stays?"
        + @"|leaves?|receives?|returns?|multiplies|adds?|finds?|computes?|names?|deletes?|cuts?)\b", RegexOptions.IgnoreCase)]
    private static partial Regex Verb();

    [GeneratedRegex(@"\s+")]
    private static partial Regex Space();
}
