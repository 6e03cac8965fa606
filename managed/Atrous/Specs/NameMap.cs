using System.Text.RegularExpressions;

namespace Atrous.Specs;

/// <summary>
/// The names that a file gives to a layer's convolution and to its batch norm, without ".weight" and the like.
/// </summary>
internal readonly record struct LayerNames(string Convolution, string Norm);

/// <summary>
/// How a dialect calls the layers that models name canonically ("backbone.stage1.0.conv2"). The first row whose pattern
/// matches the whole name decides; a name that no row matches stands for itself, with ".bn" for its norm.
/// </summary>
internal sealed class NameMap(params NameMap.Row[] rows)
{
    /// <summary>A pattern and the names it becomes.</summary>
    public sealed record Row(Regex Pattern, Func<Match, LayerNames> Names)
    {
        /// <summary>A row with replacement patterns ("$1")..</summary>
        public Row(string pattern, string convolution, string norm = "")
            : this(Whole(pattern), match => new LayerNames(match.Result(convolution), match.Result(norm)))
        {
        }

        /// <summary>A row that computes the names, where indices must be translated.</summary>
        public Row(string pattern, Func<Match, LayerNames> names)
            : this(Whole(pattern), names)
        {
        }

        private static Regex Whole(string pattern) => new($"^(?:{pattern})$", RegexOptions.CultureInvariant);
    }

    /// <summary>The file's names of a layer.</summary>
    public LayerNames this[string layer]
    {
        get
        {
            foreach (Row row in rows)
            {
                if (row.Pattern.Match(layer) is { Success: true } match)
                    return row.Names(match);
            }
            return new LayerNames(layer, layer + ".bn");
        }
    }
}
