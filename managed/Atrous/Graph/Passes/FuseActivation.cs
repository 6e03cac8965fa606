using Atrous.Graph.Ops;

namespace Atrous.Graph.Passes;

/// <summary>An activation after an operation that can end with one becomes that operation's own.</summary>
internal static class FuseActivation
{
    public static NetworkGraph Apply(NetworkGraph graph) => Apply(graph, _ => true);

    /// <summary>The same for those activations that are limits, and for no others.</summary>
    public static NetworkGraph ApplyToLimits(NetworkGraph graph) => Apply(graph, activation => activation.IsLimit);

    private static NetworkGraph Apply(NetworkGraph graph, Func<Activation, bool> fuses) => Pairs.Merge(
        graph,
        (first, second) =>
            first.Op is IActivated { Activation.Kind: ActivationKind.None } activated && second is Activate activate
                && fuses(activate.Activation)
            ? activated.WithActivation(activate.Activation)
            : null);
}
