namespace Atrous.Backends;

/// <summary>A device that Atrous knows, and whether this machine has it.</summary>
/// <param name="Name">The name that a model is loaded with: "cpu", "reference" or "cuda:0".</param>
/// <param name="Available">Whether it can be opened here.</param>
/// <param name="Detail">What the device is, or why it cannot be used.</param>
public sealed record DeviceInfo(string Name, bool Available, string Detail);
