namespace Atrous.Postprocessing;

/// <summary>Unaries for <see cref="DenseCrf.SetUnary(ReadOnlySpan{float})"/>, as pydensecrf.utils makes them.</summary>
public static class DenseCrfUnary
{
    /// <summary>-log of probabilities (unary_from_softmax).</summary>
    /// <param name="probabilities">The probabilities as [labels, pixels], one label after the other.</param>
    /// <param name="labels">The number of labels, at least 1.</param>
    /// <param name="scale">
    /// The certainty of the probabilities, above 0 and at most 1: p becomes scale * p + (1 - scale) / labels. Null does
    /// nothing.
    /// </param>
    /// <param name="clip">
    /// Probabilities below this become it, so that the logarithm stays finite. Null does nothing.
    /// </param>
    /// <returns>[labels, pixels].</returns>
    /// <exception cref="ArgumentException">
    /// The probabilities do not divide into that many labels, or the scale is out of range.
    /// </exception>
    public static float[] FromSoftmax(
        ReadOnlySpan<float> probabilities, int labels, float? scale = null, float? clip = 1e-5f)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(labels, 1);
        if (probabilities.Length % labels != 0)
            throw new ArgumentException(
                $"{probabilities.Length} probabilities are not {labels} for each pixel.", nameof(probabilities));
        if (scale is { } s && !(s > 0 && s <= 1))
            throw new ArgumentOutOfRangeException(nameof(scale), scale, "The scale must be above 0 and at most 1.");
        var energies = new float[probabilities.Length];
        for (int i = 0; i < energies.Length; i++)
        {
            double p = probabilities[i];
            if (scale is { } certainty)
                p = certainty * p + (1.0 - certainty) / labels;
            if (clip is { } least)
                p = Math.Clamp(p, least, 1);
            energies[i] = (float)-Math.Log(p);
        }
        return energies;
    }

    /// <summary>
    /// Energies of an annotation that is right with a given probability (unary_from_labels): the annotated label gets
    /// that probability, and the others share the rest.
    /// </summary>
    /// <param name="annotation">A label per pixel, from 0; where 0 is "unsure", the labels count from 1.</param>
    /// <param name="labels">How many labels there are, "unsure" not counted.</param>
    /// <param name="certainty">The annotation's probability, between 0 and 1.</param>
    /// <param name="zeroIsUnsure">0 means "could be anything": all labels are equally probable there.</param>
    /// <returns>[labels, pixels].</returns>
    /// <exception cref="ArgumentException">The annotation holds a label that there is not.</exception>
    public static float[] FromLabels(
        ReadOnlySpan<int> annotation, int labels, float certainty, bool zeroIsUnsure = true)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(labels, 1);
        if (!(certainty > 0 && certainty < 1))
            throw new ArgumentOutOfRangeException(
                nameof(certainty), certainty, "The certainty must be between 0 and 1.");
        var chosen = (float)-Math.Log(certainty);
        // With one label there is no other to share the rest.
        var other = labels == 1 ? chosen : (float)-Math.Log((1.0 - certainty) / (labels - 1));
        var unsure = (float)-Math.Log(1.0 / labels);
        int pixels = annotation.Length, first = zeroIsUnsure ? 1 : 0;
        var energies = new float[checked(labels * pixels)];
        for (int p = 0; p < pixels; p++)
        {
            int label = annotation[p] - first;
            bool isUnsure = zeroIsUnsure && annotation[p] == 0;
            if (!isUnsure && (label < 0 || label >= labels))
            {
                throw new ArgumentException(
                    $"Pixel {p} is annotated {annotation[p]}; with {labels} labels, use {first} to " +
                    $"{labels - 1 + first}.",
                    nameof(annotation));
            }
            for (int l = 0; l < labels; l++)
                energies[l * pixels + p] = isUnsure ? unsure : l == label ? chosen : other;
        }
        return energies;
    }
}
