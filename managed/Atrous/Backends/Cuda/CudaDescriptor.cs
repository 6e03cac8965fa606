namespace Atrous.Backends.Cuda;

/// <summary>
/// NVIDIA GPUs: "cuda" is the first, "cuda:n" the n-th, "cuda:n,m" some, "cuda:all" all that can be used.
/// </summary>
internal sealed class CudaDescriptor : BackendDescriptor
{
    private const string Prefix = "cuda:";

    public override string Name => "cuda";

    public override string Names => "cuda[:n,...|:all]";

    // There are no 8 bits here; the weights are those that were rounded either way.
    public override bool PrefersInt8 => false;

    public override bool Has(string device) => device == Name || device.StartsWith(Prefix, StringComparison.Ordinal);

    public override bool IsAutomatic() => CudaDevices.Exist();

    public override IReadOnlyList<DeviceInfo> Devices() => CudaDevices.List();

    public override IReadOnlyList<string> Members(string device) => Numbered(
        device, "GPU", () => [.. CudaDevices.List().Where(row => row.Available).Select(row => row.Name)]);

    public override IBackend Open(string device, BackendSettings settings) => new CudaBackend(
        CudaDevices.Find(device), settings.Precision, new CudaOptions { ChoiceFolder = settings.Folder });
}
