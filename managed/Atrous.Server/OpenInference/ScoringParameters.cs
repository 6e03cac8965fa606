using System.Text;
using Atrous.Scoring;
using Atrous.Server.V1;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Primitives;

namespace Atrous.Server.OpenInference;

/// <summary>
/// The parameters of an infer request that say how its pictures are scored: those of /v1/segment, by the same names and
/// with the same bounds.
/// </summary>
internal sealed class ScoringParameters
{
    /// <summary>The names, as text and as JSON has them.</summary>
    public static readonly IReadOnlyList<(string Text, byte[] Json)> Names =
        [.. SegmentQuery.ScoringNames.Select(name => (name, Encoding.UTF8.GetBytes(name)))];

    private readonly Dictionary<string, StringValues> _given = [];

    /// <summary>Takes a parameter, whatever its type was.</summary>
    public void Add(string name, string value) => _given[name] = value;

    /// <summary>What all of them say together; null where there are none.</summary>
    /// <exception cref="ProtocolException">One has no sound value.</exception>
    public ScoringRequest? Read()
    {
        try
        {
            return _given.Count == 0 ? null : SegmentQuery.ParseScoring(new QueryCollection(_given));
        }
        catch (BadHttpRequestException e)
        {
            throw new ProtocolException(e.Message);
        }
    }
}
