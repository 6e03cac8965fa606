using Atrous.Hosting;
using Microsoft.AspNetCore.Http;

namespace Atrous.Server.OpenInference;

/// <summary>Models by the names and versions of addresses.</summary>
internal static class CatalogLookup
{
    /// <param name="catalog">The models that the server has.</param>
    /// <param name="model">The name of the model.</param>
    /// <param name="version">"1"; null where the address has none.</param>
    /// <exception cref="UnknownModelException">There is no such model.</exception>
    /// <exception cref="ProtocolException">There is no such version.</exception>
    public static IServedModel Find(this IModelCatalog catalog, string model, string? version)
    {
        IServedModel segmenter = catalog.Get(model);
        if (version is not (null or ModelSurface.Version))
        {
            throw new ProtocolException(
                $"Model '{segmenter.Name}' has no version {ProtocolException.Quote(version)}; its version is " +
                $"{ModelSurface.Version}.",
                StatusCodes.Status404NotFound);
        }
        return segmenter;
    }

    /// <summary>Whether there is such a model, of such a version, and it is ready.</summary>
    /// <param name="catalog">The models that the server has.</param>
    /// <param name="model">The name of the model.</param>
    /// <param name="version">The version, which is "1"; empty for any.</param>
    public static bool IsReady(this IModelCatalog catalog, string model, string version) =>
        version is "" or ModelSurface.Version
        && catalog.Models.Any(status =>
            status.State == ModelState.Ready && status.Name.Equals(model, StringComparison.Ordinal));
}
