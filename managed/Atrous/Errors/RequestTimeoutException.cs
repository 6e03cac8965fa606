namespace Atrous;

/// <summary>A request had no result in its time.</summary>
public sealed class RequestTimeoutException(string message) : AtrousException(message);
