namespace Atrous.Backends;

/// <summary>How long the stages of one run took on a device with memory of its own, by the device's clock.</summary>
/// <param name="Upload">The time that the pixels take to the device.</param>
/// <param name="Preprocess">The time of resizing and normalising on the device.</param>
/// <param name="Network">The network, the upsampling and the argmax.</param>
/// <param name="Download">The time that the labels take from the device.</param>
public readonly record struct DeviceStages(TimeSpan Upload, TimeSpan Preprocess, TimeSpan Network, TimeSpan Download);
