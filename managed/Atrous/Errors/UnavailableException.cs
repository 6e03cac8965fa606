namespace Atrous;

/// <summary>A device, precision or option that this machine or this model does not have.</summary>
/// <param name="message">One sentence that says what was wrong and what to do about it.</param>
public sealed class UnavailableException(string message) : AtrousException(message);
