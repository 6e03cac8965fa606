using Atrous.Graph;
using Atrous.Graph.Ops;
using Atrous.Models.Heads;
using Atrous.Specs;

namespace Atrous.Models;

/// <summary>
/// A network cut at its image pooling (Liu et al. 2015, "ParseNet"; DeepLabV3's section 3.3), so that a part of a
/// picture can be given the context of the whole.
/// </summary>
internal static class ImageContext
{
    /// <summary>
    /// The head pools the whole picture into one vector; with inputs of several scales there would be several.
    /// </summary>
    public static bool Exists(NetworkSpec spec) => spec.MultiScale is null && spec.Head switch
    {
        DeepLabV3HeadSpec v3 => v3.Aspp.ImagePooling is { Window: null },
        DeepLabV3PlusHeadSpec plus => plus.Aspp.ImagePooling is { Window: null },
        _ => false,
    };

    /// <summary>What the vector is the mean of: the backbone's features, [N, h, w, features].</summary>
    public static Value Of(NetworkGraph network) => Pooling(network).Inputs[0];

    /// <summary>The network with the vector as its second input.</summary>
    public static NetworkGraph Given(NetworkGraph network)
    {
        Node pooling = Pooling(network);
        return network with
        {
            Inputs = [.. network.Inputs, pooling.Output],
            Nodes = [.. network.Nodes.Where(node => node != pooling)],
        };
    }

    private static Node Pooling(NetworkGraph network) =>
        network.Nodes.Single(node => node.Op is GlobalAveragePool && node.Output.Name == Aspp.PoolingNode);
}
