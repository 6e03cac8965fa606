namespace Atrous.Postprocessing;

/// <summary>What a network's scores are.</summary>
public enum CrfScores
{
    /// <summary>Negative log-probabilities, the unaries themselves.</summary>
    Energies = 0,

    /// <summary>Probabilities, which sum to 1 over the labels.</summary>
    Probabilities = 1,

    /// <summary>Logits, whose softmax over the labels is the probabilities.</summary>
    Logits = 2,
}
