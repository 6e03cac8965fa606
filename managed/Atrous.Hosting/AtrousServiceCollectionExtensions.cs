using Atrous.Hosting.Health;
using Atrous.Hosting.Lifecycle;
using Atrous.Hosting.Requests;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Options;

namespace Atrous.Hosting;

/// <summary>Puts Atrous into a service.</summary>
public static class AtrousServiceCollectionExtensions
{
    /// <summary>
    /// As <see cref="AddAtrous(IServiceCollection, Action{AtrousOptions})"/>, with models and limits from a
    /// configuration: <c>AddAtrous(builder.Configuration.GetSection("Atrous"))</c>. See
    /// <see cref="AtrousOptions.Configure"/>.
    /// </summary>
    /// <param name="services">The host's services, to which these are added.</param>
    /// <param name="section">The section that has the settings of these options.</param>
    /// <param name="configure">Changes what the section says; null for nothing.</param>
    /// <returns>The same services, so that calls can be chained.</returns>
    /// <exception cref="UnavailableException">
    /// When the host starts: a setting is misspelt, or its value is not sound.
    /// </exception>
    public static IServiceCollection AddAtrous(
        this IServiceCollection services, IConfiguration section, Action<AtrousOptions>? configure = null)
    {
        ArgumentNullException.ThrowIfNull(section);
        return services.AddAtrous(options =>
        {
            options.Configure(section);
            configure?.Invoke(options);
        });
    }

    /// <summary>
    /// Adds the models: <see cref="IServedModel"/> is the default one (or, as a keyed service, the one of that name),
    /// <see cref="IModelCatalog"/> all of them. They are loaded when the host starts and freed when it stops. Health
    /// checks are added with the tags "live" and "ready".
    /// </summary>
    /// <param name="services">The host's services, to which these are added.</param>
    /// <param name="configure">The action that names the models: <c>options => options.AddDefaultModel()</c>.</param>
    /// <returns>The same services, so that calls can be chained.</returns>
    /// <exception cref="OptionsValidationException">
    /// When the host starts: the options contradict themselves.
    /// </exception>
    public static IServiceCollection AddAtrous(this IServiceCollection services, Action<AtrousOptions> configure)
    {
        ArgumentNullException.ThrowIfNull(services);
        ArgumentNullException.ThrowIfNull(configure);
        services.AddOptionsWithValidateOnStart<AtrousOptions, AtrousOptionsValidator>().Configure(configure);
        services.TryAddSingleton(TimeProvider.System);
        services.TryAddSingleton(provider => new PictureBudget(
            provider.GetRequiredService<IOptions<AtrousOptions>>().Value.MaxPictureBytes ?? PictureBudget.Usual));
        services.TryAddSingleton<ModelCatalog>();
        services.TryAddSingleton<IModelCatalog>(provider => provider.GetRequiredService<ModelCatalog>());
        services.TryAddSingleton(provider => provider.GetRequiredService<IModelCatalog>().Default);
        services.TryAddSingleton<ISegmenter>(provider => provider.GetRequiredService<IServedModel>());
        services.TryAddKeyedSingleton(
            KeyedService.AnyKey, (provider, name) => provider.GetRequiredService<IModelCatalog>().Get(name as string));
        services.AddHostedService<ModelService>();
        services.AddHealthChecks()
            .AddCheck<LiveCheck>("atrous-live", tags: ["live"])
            .AddCheck<ReadyCheck>("atrous-ready", tags: ["ready"]);
        return services;
    }
}
