namespace Atrous.Backends;

/// <summary>How a backend is opened.</summary>
/// <param name="Precision">The number format of weights and activations.</param>
/// <param name="Threads">The number of threads of a backend on the processor; 0 for one per core.</param>
/// <param name="Folder">Where a backend may keep what it found out about this machine; null for nowhere.</param>
internal sealed record BackendSettings(Precision Precision, int Threads = 0, string? Folder = null);

/// <summary>All that the library must know of a backend: a row of <c>BackendRegistry</c>.</summary>
internal abstract class BackendDescriptor
{
    /// <summary>The device's name: "cpu". Of several devices, the one that stands for the first.</summary>
    public abstract string Name { get; }

    /// <summary>The names of all its devices as a message lists them: "cuda[:n,...|:all]".</summary>
    public virtual string Names => Name;

    /// <summary>Whether a device's name is one of this backend's, be there such a device or not.</summary>
    public virtual bool Has(string device) => device == Name;

    /// <summary>Whether a quantised model runs in 8 bits here where nobody asks for another precision.</summary>
    public virtual bool PrefersInt8 => true;

    /// <summary>Whether "auto" tries this backend on this machine.</summary>
    public abstract bool IsAutomatic();

    /// <summary>Its devices, the best first; where there is none a row that says why.</summary>
    public abstract IReadOnlyList<DeviceInfo> Devices();

    /// <summary>
    /// The devices that a name stands for: itself, or several that run the same networks beside each other.
    /// </summary>
    /// <exception cref="UnavailableException">It names a device twice.</exception>
    public virtual IReadOnlyList<string> Members(string device) => [device];

    /// <summary>
    /// The members of "cuda:n,m", and of "cuda:all" all that there are; any other name stands for itself.
    /// </summary>
    /// <param name="device">A name that <see cref="Has"/> accepts.</param>
    /// <param name="kind">What a number stands for: "GPU".</param>
    /// <param name="all">The names of all that can be used.</param>
    protected IReadOnlyList<string> Numbered(string device, string kind, Func<IReadOnlyList<string>> all)
    {
        string prefix = $"{Name}:";
        if (device == $"{prefix}all")
        {
            IReadOnlyList<string> usable = all();
            // Where there is none, opening the first says why.
            return usable.Count > 0 ? usable : [Name];
        }
        if (!device.Contains(','))
            return [device];
        string[] members = [.. device[prefix.Length..].Split(',').Select(number => prefix + number)];
        return members.Distinct().Count() == members.Length
            ? members
            : throw new UnavailableException($"The device '{device}' names a {kind} twice; name each once.");
    }

    /// <summary>Opens a device.</summary>
    /// <param name="device">A name that <see cref="Has"/> accepts.</param>
    /// <param name="settings">How it is to compute.</param>
    /// <exception cref="UnavailableException">
    /// There is no such device here, or it does not have that precision.
    /// </exception>
    public abstract IBackend Open(string device, BackendSettings settings);
}
