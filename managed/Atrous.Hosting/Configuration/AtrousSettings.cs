using Microsoft.Extensions.Configuration;

namespace Atrous.Hosting.Configuration;

/// <summary>
/// <see cref="AtrousOptions"/> as configurations have them: files, the environment. Null is what they do not say.
/// </summary>
internal sealed class AtrousSettings
{
    /// <summary>The part that the tool's server reads.</summary>
    public const string Server = "Server";

    public Dictionary<string, ModelSettings>? Models { get; set; }

    public string? DefaultModel { get; set; }

    public long? MaxPixels { get; set; }

    public long? MaxNetworkPixels { get; set; }

    public long? MaxPictureBytes { get; set; }

    public bool? LoadInBackground { get; set; }

    /// <summary>Reads a section, of which nothing is passed by.</summary>
    /// <exception cref="UnavailableException">A setting is none, or has no sound value.</exception>
    public static AtrousSettings Of(IConfiguration section)
    {
        KnownSettings.Check<AtrousSettings>(section, Server);
        IConfigurationSection models = section.GetSection(nameof(Models));
        foreach (IConfigurationSection model in models.GetChildren())
            ModelSettings.Check(model);
        var settings = new AtrousSettings();
        KnownSettings.Bind(() => section.Bind(settings));
        return settings;
    }

    /// <summary>Puts these in the place of what the options say.</summary>
    public void Over(AtrousOptions options)
    {
        options.DefaultModel = DefaultModel ?? options.DefaultModel;
        options.MaxPixels = MaxPixels ?? options.MaxPixels;
        options.MaxNetworkPixels = MaxNetworkPixels ?? options.MaxNetworkPixels;
        options.MaxPictureBytes = MaxPictureBytes ?? options.MaxPictureBytes;
        options.LoadInBackground = LoadInBackground ?? options.LoadInBackground;
        foreach ((string name, ModelSettings model) in Models ?? [])
            options.Models[name] = model.Over(
                options.Models.TryGetValue(name, out ModelOptions? known) ? known : new ModelOptions { Path = "" });
    }
}
