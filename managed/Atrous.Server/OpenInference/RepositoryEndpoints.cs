using Atrous.Hosting;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Mvc;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;

namespace Atrous.Server.OpenInference;

/// <summary>
/// /v2/repository: Triton's model repository extension (extension_model_repository.md). Only where the server's options
/// permit it, since whoever reaches the port could otherwise take models away.
/// </summary>
internal static class RepositoryEndpoints
{
    public static void Map(RouteGroupBuilder v2)
    {
        RouteGroupBuilder repository = v2.MapGroup("/repository")
            .AddEndpointFilter((context, next) =>
            {
                new AdminGuard(context.HttpContext.RequestServices.GetRequiredService<ServerOptions>())
                    .Check(context.HttpContext.Request);
                return next(context);
            })
            .ProducesProblems(StatusCodes.Status400BadRequest, StatusCodes.Status403Forbidden);
        repository.MapPost("/index", IndexAsync)
            .WithSummary("Lists the configured models with their states")
            .WithDescription("The body is empty or {\"ready\": true}, which leaves out what is not ready.");
        repository.MapPost("/models/{model}/load", LoadAsync)
            .WithSummary("Loads a model, or loads it anew from its file")
            .WithDescription(
                "The new model is loaded and warmed up first and then takes the old one's place; where that fails " +
                "the old one stays.")
            .ProducesProblems(StatusCodes.Status404NotFound);
        repository.MapPost("/models/{model}/unload", UnloadAsync)
            .WithSummary("Lets a model finish its requests and frees it")
            .ProducesProblems(StatusCodes.Status404NotFound);
    }

    private static async Task<Ok<RepositoryEntry[]>> IndexAsync(
        HttpContext context, [FromServices] IModelCatalog catalog, [FromServices] ServerOptions options)
    {
        bool readyOnly;
        using (BodyLease body = await RequestBody.ReadAsync(context, context.RequestAborted))
            readyOnly = RepositoryRequest.ReadyOnly(body.Memory, options.Limits.MaxJsonDepth);
        return TypedResults.Ok(catalog.Models.Where(model => !readyOnly || model.State == ModelState.Ready)
            .Select(
                model => new RepositoryEntry(
                    model.Name, ModelSurface.Version, model.State.ToString().ToUpperInvariant(), model.Reason))
            .ToArray());
    }

    private static async Task<Ok> LoadAsync(
        HttpContext context, string model, [FromServices] IModelCatalog catalog,
        [FromServices] ServerOptions options)
    {
        await CheckAsync(context, model, catalog, options);
        await RepositoryRequest.LoadAsync(catalog, model);
        return TypedResults.Ok();
    }

    private static async Task<Ok> UnloadAsync(
        HttpContext context, string model, [FromServices] IModelCatalog catalog,
        [FromServices] ServerOptions options)
    {
        await CheckAsync(context, model, catalog, options);
        await catalog.UnloadAsync(model, CancellationToken.None);
        return TypedResults.Ok();
    }

    private static async Task CheckAsync(
        HttpContext context, string model, IModelCatalog catalog, ServerOptions options)
    {
        catalog.StatusOf(model);
        using BodyLease body = await RequestBody.ReadAsync(context, context.RequestAborted);
        RepositoryRequest.Check(body.Memory, options.Limits.MaxJsonDepth);
    }
}
