namespace Atrous.Backends.Reference;

/// <summary>The plain loops that everything else is checked against; only who names them gets them.</summary>
internal sealed class ReferenceDescriptor : BackendDescriptor
{
    public override string Name => "reference";

    public override bool IsAutomatic() => false;

    public override IReadOnlyList<DeviceInfo> Devices() =>
        [new(Name, true, "plain loops in double precision; slow, the definition of correct")];

    public override IBackend Open(string device, BackendSettings settings) => settings.Precision switch
    {
        Precision.Fp32 => new ReferenceBackend(),
        Precision.Int8 => new ReferenceBackend { InBytes = true },
        _ => throw new UnavailableException(
            "The device reference computes in double precision and answers in fp32, or in int8; it does not have "
                + $"{settings.Precision.ToString().ToLowerInvariant()}."),
    };
}
