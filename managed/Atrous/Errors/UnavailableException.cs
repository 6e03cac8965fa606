namespace Atrous;

/// <summary>A device, precision or option that this machine or this model does not have.</summary>
public sealed class UnavailableException(string message) : AtrousException(message);
