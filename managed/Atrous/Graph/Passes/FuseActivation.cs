using Atrous.Graph.Ops;

namespace Atrous.Graph.Passes;

/// <summary>An activation after an operation that can end with one becomes that operation's own.</summary>
internal static class FuseActivation
{
    public static NetworkGraph Apply(NetworkGraph graph) => Pairs.Merge(
        graph,
        (first, second) =>
            first.Op is IActivated { Activation.Kind: ActivationKind.None } activated && second is Activate activate
            ? activated.WithActivation(activate.Activation)
            : null);
}
