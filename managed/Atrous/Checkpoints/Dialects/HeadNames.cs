using System.Text.RegularExpressions;
using Atrous.Specs;

namespace Atrous.Checkpoints.Dialects;

/// <summary>How files name the layers of heads that many repositories share.</summary>
internal static class HeadNames
{
    /// <summary>
    /// torchvision's ASPP under a prefix: convs.{branch}.0 and .1, convs.4.1 and .2 for the pooled branch, project.0
    /// and .1.
    /// </summary>
    /// <param name="prefix">With a trailing dot.</param>
    /// <param name="separable">
    /// What stands between a separable convolution's name and its numbers 0 (depthwise) and 1 (pointwise): "body." or
    /// nothing.
    /// </param>
    public static NameMap.Row[] Aspp(string prefix, string separable = "") =>
    [
        .. Window(@"aspp\.branch(\d)", prefix + "convs.$1.0", prefix + "convs.$1.1", separable),
        new(@"aspp\.pool", prefix + "convs.4.1", prefix + "convs.4.2"),
        new(@"aspp\.project", prefix + "project.0", prefix + "project.1"),
    ];

    /// <summary>A convolution that is dense, or separable with one batch norm after both parts.</summary>
    /// <param name="pattern">A regular expression for the layer's canonical name.</param>
    /// <param name="convolution">The dense convolution's name, and the separable one's prefix.</param>
    /// <param name="norm">The batch norm's name.</param>
    /// <param name="separable">
    /// What stands before the numbers of a separable convolution's parts, as in <see cref="Aspp"/>.
    /// </param>
    public static NameMap.Row[] Window(string pattern, string convolution, string norm, string separable = "") =>
    [
        new(pattern, convolution, norm),
        new(pattern + @"\.depthwise", $"{convolution}.{separable}0"),
        new(pattern + @"\.pointwise", $"{convolution}.{separable}1", norm),
    ];

    /// <summary>ASPP's branches where a file counts them from 1: "aspp.aspp1" and what follows it.</summary>
    public static NameMap.Row BranchesFromOne(string branch, string convolution, string norm) =>
        Parts(@"aspp\.branch(\d)", match => $"{branch}{match.Number(1) + 1}", convolution, norm);

    /// <summary>A module whose convolution and norm have names of their own inside it: ".conv" and ".bn".</summary>
    public static NameMap.Row Parts(string pattern, Func<Match, string> module, string convolution, string norm) =>
        new(pattern, match => new LayerNames(module(match) + convolution, module(match) + norm));
}
