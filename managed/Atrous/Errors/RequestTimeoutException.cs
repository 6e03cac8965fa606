namespace Atrous;

/// <summary>A request had no result in its time.</summary>
/// <param name="message">One sentence that says what was wrong and what to do about it.</param>
public sealed class RequestTimeoutException(string message) : AtrousException(message);
