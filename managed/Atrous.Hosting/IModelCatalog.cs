namespace Atrous.Hosting;

/// <summary>Every configured model by name, with its state. Safe to use from many threads.</summary>
public interface IModelCatalog
{
    /// <summary>
    /// The model that <see cref="AtrousOptions.DefaultModel"/> names, or the only one: the injected
    /// <see cref="IServedModel"/>.
    /// </summary>
    /// <exception cref="UnknownModelException">There are several models and none is the default.</exception>
    IServedModel Default { get; }

    /// <summary>All models in the order of their configuration.</summary>
    IReadOnlyList<ModelStatus> Models { get; }

    /// <summary>
    /// Every configured model that nobody unloaded is loaded and warm, and the service is not stopping.
    /// </summary>
    bool IsReady { get; }

    /// <summary>A model by name; null takes the default.</summary>
    /// <param name="name">The model's name in <see cref="AtrousOptions.Models"/>, or null.</param>
    /// <exception cref="UnknownModelException">There is none of this name.</exception>
    IServedModel Get(string? name);

    /// <summary>The state of a model.</summary>
    /// <param name="name">The model's name in <see cref="AtrousOptions.Models"/>.</param>
    /// <exception cref="UnknownModelException">There is none of this name.</exception>
    ModelStatus StatusOf(string name);

    /// <summary>
    /// Loads a model, or loads it anew from its file: the new one is loaded and warmed up first, then takes the old
    /// one's place, which finishes its requests and is freed. Where that fails the old one stays.
    /// </summary>
    /// <param name="name">The model's name in <see cref="AtrousOptions.Models"/>.</param>
    /// <param name="cancellationToken">Ends the wait for other loads of this model; one that has begun goes on.</param>
    /// <exception cref="UnknownModelException">There is none of this name.</exception>
    /// <exception cref="AtrousException">It cannot be loaded, and why.</exception>
    Task LoadAsync(string name, CancellationToken cancellationToken = default);

    /// <summary>
    /// Takes no more requests for a model, finishes those that it has, and frees it. The task ends when it is freed.
    /// </summary>
    /// <param name="name">The model's name in <see cref="AtrousOptions.Models"/>.</param>
    /// <param name="cancellationToken">Ends the wait for a load of this model; an unloading goes on to its end.</param>
    /// <exception cref="UnknownModelException">There is none of this name.</exception>
    Task UnloadAsync(string name, CancellationToken cancellationToken = default);

    /// <summary>
    /// Loads all models anew that are not unloaded. Every one is tried; the first failure is thrown at the end.
    /// </summary>
    /// <param name="cancellationToken">Ends between two models; a load that has begun goes on.</param>
    /// <exception cref="AtrousException">One cannot be loaded; it goes on with what it had.</exception>
    Task ReloadAsync(CancellationToken cancellationToken = default);

    /// <summary>Ends when the first load of every configured model has ended.</summary>
    /// <param name="cancellationToken">Ends the wait; the loads go on.</param>
    /// <exception cref="AtrousException">The first failure, in the order of configuration.</exception>
    Task WhenLoadedAsync(CancellationToken cancellationToken = default);
}
