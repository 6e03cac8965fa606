using Atrous.Hosting;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Mvc;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Diagnostics.HealthChecks;

namespace Atrous.Server.OpenInference;

/// <summary>
/// The Open Inference Protocol, version 2 (KServe, Triton): /v2. What models look like is said at
/// <see cref="ModelSurface"/>.
/// </summary>
internal static class OpenInferenceEndpoints
{
    public static readonly string Version = typeof(OpenInferenceEndpoints).Assembly.GetName().Version?.ToString(3)
        ?? "";

    /// <summary>What the endpoints need.</summary>
    public static void AddServices(IServiceCollection services)
    {
        services.AddSingleton<Inferences>();
        services.AddSingleton<InferEndpoint>();
        ResponseEncoding.AddServices(services);
    }

    public static void Map(IEndpointRouteBuilder routes)
    {
        RouteGroupBuilder v2 = routes.MapGroup("/v2").WithTags("Open Inference Protocol v2");
        v2.MapGet("/health/live", () => new ServerLive(true)).WithSummary("The server answers");
        v2.MapGet("/health/ready", ServerReadinessAsync)
            .WithSummary("Every model is ready")
            .Produces<ServerReady>().Produces<ServerReady>(StatusCodes.Status503ServiceUnavailable);
        v2.MapGet("", ([FromServices] ServerOptions options) =>
                new ServerMetadata("atrous", Version, Extensions(options)))
            .WithSummary("The server's name, version and protocol extensions");
        v2.MapGet("/models", ([FromServices] IModelCatalog catalog) =>
                new ModelList([.. catalog.Models.Select(model => model.Name)]))
            .WithSummary("The names of the models");
        v2.MapGet("/models/stats", ([FromServices] IModelCatalog catalog) => new StatisticsDocument(
                [.. catalog.Models.Select(
                    model => ModelStatisticsDocument.Of(model.Name, catalog.Get(model.Name).Statistics))]))
            .WithSummary("What every model has done since the server started");
        MapModel(v2.MapGroup("/models/{model}"));
        MapModel(v2.MapGroup("/models/{model}/versions/{version}"));
        RepositoryEndpoints.Map(v2);
    }

    /// <summary>Documents the answers that carry <c>{"error": ...}</c>.</summary>
    public static T ProducesProblems<T>(this T builder, params int[] statuses)
        where T : IEndpointConventionBuilder
    {
        foreach (int status in statuses)
            builder.WithMetadata(new ProducesResponseTypeMetadata(status, typeof(ErrorDocument), ["application/json"]));
        return builder;
    }

    private static void MapModel(RouteGroupBuilder model)
    {
        model.ProducesProblems(StatusCodes.Status404NotFound);
        model.MapGet("", Metadata)
            .WithSummary("A model's inputs and outputs")
            .ProducesProblems(StatusCodes.Status503ServiceUnavailable);
        model.MapGet("/config", (HttpContext context, string model, [FromServices] IModelCatalog catalog) =>
                ModelSurface.Configure(Metadata(context, model, catalog)))
            .WithSummary("The same as Triton's model configuration")
            .ProducesProblems(StatusCodes.Status503ServiceUnavailable);
        model.MapGet("/ready", ModelReadiness)
            .WithSummary("The model is ready")
            .Produces<ModelReady>().Produces<ModelReady>(StatusCodes.Status503ServiceUnavailable);
        model.MapGet("/stats", Statistics).WithSummary("What the model has done since the server started");
        model.MapPost("/infer", (HttpContext context, string model, [FromServices] InferEndpoint endpoint) =>
                endpoint.AnswerAsync(context, model, VersionOf(context)))
            .WithSummary("Segments pictures")
            .WithDescription(
                "JSON, or JSON followed by binary tensors with Inference-Header-Content-Length, or one picture file " +
                "alone with "
                + "Inference-Header-Content-Length: 0. The input 'image' is BYTES [N] (picture files of one " +
                    "size; base64 in JSON) "
                + "or pixels [N,H,W,3] or [N,3,H,W] of whole numbers from 0 to 255. The outputs are 'labels' " +
                    "[N,H,W], 'confidence' FP32 [N,H,W] and, where it is asked for, 'shares' FP32 [N,classes].")
            .Produces<object>(StatusCodes.Status200OK, "application/json", "application/octet-stream")
            .ProducesProblems(
                StatusCodes.Status400BadRequest, StatusCodes.Status413PayloadTooLarge,
                StatusCodes.Status415UnsupportedMediaType,
                StatusCodes.Status503ServiceUnavailable, StatusCodes.Status504GatewayTimeout);
    }

    /// <summary>What the server has beside the protocol's own calls.</summary>
    public static IReadOnlyList<string> Extensions(ServerOptions options)
    {
        string[] always = ["binary_tensor_data", "model_configuration", "parameters", "schedule_policy", "statistics"];
        return options.Admin ? [.. always, "model_repository", "model_repository(unload_dependents)"] : always;
    }

    /// <summary>
    /// 503 where it is not ready, by the same checks as every other probe: probes look at nothing else.
    /// </summary>
    private static async Task<JsonHttpResult<ServerReady>> ServerReadinessAsync(
        [FromServices] HealthCheckService health, CancellationToken cancellationToken)
    {
        HealthReport report = await health.CheckHealthAsync(check => check.Tags.Contains("ready"), cancellationToken);
        if (report.Status == HealthStatus.Healthy)
            return TypedResults.Json(new ServerReady(true), ServerJson.Web.ServerReady);
        IEnumerable<string?> reasons = report.Entries.Values.Where(entry => entry.Status != HealthStatus.Healthy)
            .Select(entry => entry.Description);
        return TypedResults.Json(
            new ServerReady(false, $"Not ready: {string.Join("; ", reasons)}."), ServerJson.Web.ServerReady,
            statusCode: StatusCodes.Status503ServiceUnavailable);
    }

    private static JsonHttpResult<ModelReady> ModelReadiness(
        HttpContext context, string model, [FromServices] IModelCatalog catalog)
    {
        catalog.Find(model, VersionOf(context));
        ModelStatus status = catalog.StatusOf(model);
        return status.State == ModelState.Ready
            ? TypedResults.Json(new ModelReady(model, true), ServerJson.Web.ModelReady)
            : TypedResults.Json(
                new ModelReady(model, false, Describe(status)), ServerJson.Web.ModelReady,
                statusCode: StatusCodes.Status503ServiceUnavailable);
    }

    private static ModelMetadata Metadata(
        HttpContext context, string model, [FromServices] IModelCatalog catalog)
    {
        ModelInfo info = catalog.Find(model, VersionOf(context)).Info;
        return ModelSurface.Describe(model, info.Classes, info.ClassNames);
    }

    private static StatisticsDocument Statistics(
        HttpContext context, string model, [FromServices] IModelCatalog catalog) =>
        new([ModelStatisticsDocument.Of(model, catalog.Find(model, VersionOf(context)).Statistics)]);

    private static string Describe(ModelStatus model)
    {
        string reason = model.Reason.Length > 0 ? $": {model.Reason}" : "";
        return $"Model '{model.Name}' is {model.State.ToString().ToLowerInvariant()}{reason}.";
    }

    /// <summary>Null where the address names no version.</summary>
    private static string? VersionOf(HttpContext context) => context.GetRouteValue("version") as string;
}
