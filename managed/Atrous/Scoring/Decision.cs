using Atrous.Postprocessing;

namespace Atrous.Scoring;

/// <summary>How a pixel's scores become its label.</summary>
/// <param name="Form">What the scores are: logits or probabilities.</param>
/// <param name="Threshold">
/// Above which probability a pixel is of the second of two classes, or of each class where it can be of several;
/// <see cref="ScoreArithmetic.Half"/> for the more probable of two.
/// </param>
/// <param name="MultiLabel">
/// Each score is that of a class with a sigmoid of its own. The label is that of the most probable class above the
/// threshold, counted from 1, and 0 for none.
/// </param>
internal readonly record struct Decision(CrfScores Form, double Threshold, bool MultiLabel = false);
