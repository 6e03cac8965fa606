namespace Atrous.Backends.Cuda;

/// <summary>NVIDIA GPUs: "cuda" is the first, "cuda:n" the n-th.</summary>
internal sealed class CudaDescriptor : BackendDescriptor
{
    public override string Name => "cuda";

    public override string Names => "cuda[:n]";

    public override bool Has(string device) => device == Name || device.StartsWith("cuda:", StringComparison.Ordinal);

    public override bool IsAutomatic() => CudaDevices.Exist();

    public override IReadOnlyList<DeviceInfo> Devices() => CudaDevices.List();

    public override IBackend Open(string device, BackendSettings settings) => new CudaBackend(
        CudaDevices.Find(device), settings.Precision, new CudaOptions { ChoiceFolder = settings.Folder });
}
