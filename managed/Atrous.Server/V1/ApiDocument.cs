using System.Text.Json.Nodes;
using System.Text.Json.Serialization;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.OpenApi;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.OpenApi;

namespace Atrous.Server.V1;

/// <summary>The OpenAPI document of the whole server, at /openapi/v1.json.</summary>
internal static class ApiDocument
{
    public const string SegmentationTag = "Segmentation", SegmentOperation = "segment", ModelsOperation = "listModels";

    private const string Name = "v1";

    private static readonly (string Status, string Meaning)[] Refusals =
    [
        ("400", "A parameter is not sound, or the picture is missing or broken."),
        ("404", "There is no such model."),
        ("413", "The file has too many bytes, or the picture too many pixels."),
        ("415", "It is no JPEG, PNG, WebP, GIF, BMP or TIFF, or its Content-Encoding is unknown."),
        ("503", "The queue is full, or the model is not loaded; Retry-After says when to try again."),
        ("504", "There was no result in the time that the request had."),
    ];

    public static void AddServices(IServiceCollection services)
    {
        services.ConfigureHttpJsonOptions(json =>
        {
            json.SerializerOptions.TypeInfoResolverChain.Insert(0, ServerJson.Web);
            json.SerializerOptions.Converters.Add(ServerJson.StateName);
            // Otherwise every number is described as "integer or string".
            json.SerializerOptions.NumberHandling = JsonNumberHandling.Strict;
        });
        services.AddOpenApi(Name, options =>
        {
            options.AddDocumentTransformer((document, _, _) => Introduce(document));
            options.AddOperationTransformer((operation, _, _) => Complete(operation));
            options.AddSchemaTransformer((schema, context, _) => Complete(schema, context.JsonTypeInfo.Type));
        });
    }

    public static void Map(IEndpointRouteBuilder routes) => routes.MapOpenApi("/openapi/{documentName}.json");

    private static Task Introduce(OpenApiDocument document)
    {
        document.Info = new OpenApiInfo
        {
            Title = "Atrous",
            Version = typeof(ApiDocument).Assembly.GetName().Version?.ToString(3) ?? "0",
            Summary = "Semantic segmentation: the class of every pixel.",
            Description =
                "Pictures are neither stored nor fetched from elsewhere. Errors are problem details (RFC 9457), "
                + "except under /v2, where they are what the Open Inference Protocol has: `{\"error\": \"...\"}`.",
            License = new OpenApiLicense { Name = "MIT", Identifier = "MIT" },
        };
        // Relative, so that the document holds behind any proxy.
        document.Servers = [new OpenApiServer { Url = "/" }];
        document.Security = [new OpenApiSecurityRequirement()];
        // What most readers come for is first, whatever order the endpoints were mapped in.
        IEnumerable<OpenApiTag> tags = document.Tags ?? Enumerable.Empty<OpenApiTag>();
        document.Tags = new HashSet<OpenApiTag>(tags.OrderBy(tag => tag.Name != SegmentationTag));
        foreach (OpenApiTag tag in document.Tags)
        {
            if (tag.Name == SegmentationTag)
                tag.Description = "Pictures in, masks out.";
        }
        var paths = new OpenApiPaths();
        foreach ((string path, IOpenApiPathItem item) in document.Paths.OrderBy(entry => !IsSegmentation(entry.Value)))
            paths.Add(path, item);
        document.Paths = paths;
        return Task.CompletedTask;
    }

    private static bool IsSegmentation(IOpenApiPathItem item) =>
        item.Operations?.Values.Any(operation =>
            operation.Tags?.Any(tag => tag.Name == SegmentationTag) == true) == true;

    private static Task Complete(OpenApiOperation operation)
    {
        foreach ((string status, string meaning) in Refusals)
        {
            if (operation.Tags?.Any(tag => tag.Name == SegmentationTag) == true
                && operation.Responses?.GetValueOrDefault(status) is OpenApiResponse response)
            {
                response.Description = meaning;
            }
        }
        if (operation.OperationId == SegmentOperation)
            CompleteSegment(operation);
        else if (operation.OperationId == ModelsOperation)
            operation.Parameters = [SegmentParameters.Palette.ToOpenApi()];
        return Task.CompletedTask;
    }

    private static Task Complete(OpenApiSchema schema, Type type)
    {
        if (type == typeof(RunLengths))
        {
            schema.Properties!["counts"] = new OpenApiSchema
            {
                Description = "The text of pycocotools, or a list of numbers.",
                OneOf =
                [
                    new OpenApiSchema { Type = JsonSchemaType.String },
                    new OpenApiSchema
                    {
                        Type = JsonSchemaType.Array,
                        Items = new OpenApiSchema { Type = JsonSchemaType.Integer },
                    },
                ],
            };
        }
        return Task.CompletedTask;
    }

    private static void CompleteSegment(OpenApiOperation operation)
    {
        operation.Parameters = [.. SegmentParameters.All.Select(parameter => parameter.ToOpenApi())];
        var picture = new OpenApiMediaType { Schema = Binary() };
        operation.RequestBody = new OpenApiRequestBody
        {
            Description = "The picture.",
            Required = true,
            Content = new Dictionary<string, OpenApiMediaType>
            {
                ["image/jpeg"] = picture,
                ["image/png"] = picture,
                ["image/webp"] = picture,
                ["image/gif"] = picture,
                ["image/bmp"] = picture,
                ["image/tiff"] = picture,
                ["application/octet-stream"] = picture,
                ["multipart/form-data"] = new OpenApiMediaType
                {
                    Schema = new OpenApiSchema
                    {
                        Type = JsonSchemaType.Object,
                        Required = new HashSet<string> { "image" },
                        Properties = new Dictionary<string, IOpenApiSchema> { ["image"] = Binary() },
                    },
                },
            },
        };
        if (operation.Responses?["200"] is OpenApiResponse { Content: { } content } answer)
        {
            answer.Description = "The mask, the overlay, or what is on the picture.";
            content["image/png"] = new OpenApiMediaType { Schema = Binary() };
            content["image/jpeg"] = new OpenApiMediaType { Schema = Binary() };
            answer.Headers = new Dictionary<string, IOpenApiHeader>
            {
                ["Server-Timing"] = new OpenApiHeader
                {
                    Description =
                        "Milliseconds of the stages queue, decode, preprocess, network, postprocess and encode.",
                    Schema = new OpenApiSchema
                    {
                        Type = JsonSchemaType.String,
                        Examples = [JsonValue.Create("queue;dur=0.1, network;dur=87.2")!],
                    },
                },
                [SegmentEndpoints.WarningHeader] = new OpenApiHeader
                {
                    Description = "What was wrong with the file though all its pixels were there, such as no end mark.",
                    Schema = new OpenApiSchema { Type = JsonSchemaType.String },
                },
            };
        }
        if (operation.Responses?["503"] is OpenApiResponse refused)
        {
            refused.Headers = new Dictionary<string, IOpenApiHeader>
            {
                ["Retry-After"] = new OpenApiHeader
                {
                    Description = "Seconds to wait.",
                    Schema = new OpenApiSchema { Type = JsonSchemaType.Integer },
                },
            };
        }
    }

    private static OpenApiSchema Binary() => new() { Type = JsonSchemaType.String, Format = "binary" };
}
