using Microsoft.AspNetCore.Http;

namespace Atrous.Server;

/// <summary>A request that the protocol refuses: the message is the client's <c>{"error": ...}</c>.</summary>
/// <param name="message">One sentence: what was wrong and what to do.</param>
/// <param name="status">The HTTP status of the answer, 400 to 499.</param>
internal sealed class ProtocolException(string message, int status = StatusCodes.Status400BadRequest)
    : BadHttpRequestException(message, status)
{
    /// <summary>A client's own words, cut to a length that fits a sentence.</summary>
    public static string Quote(string text)
    {
        string shown = text.Length <= 64 ? text : text[..64] + "...";
        return $"'{string.Concat(shown.Select(c => char.IsControl(c) || char.IsSurrogate(c) ? '?' : c))}'";
    }
}
