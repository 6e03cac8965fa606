using System.Diagnostics;
using System.Globalization;
using Atrous.Formats;
using Atrous.Hosting;
using Atrous.Hosting.Telemetry;
using Atrous.Imaging;
using Atrous.Postprocessing;
using Atrous.Shapes;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Mvc;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;

namespace Atrous.Server.V1;

/// <summary>POST /v1/segment, GET /v1/models, and their OpenAPI document.</summary>
internal static class SegmentEndpoints
{
    /// <summary>
    /// What was wrong with a picture file though all its pixels were there, for answers that are pictures.
    /// </summary>
    public const string WarningHeader = "Atrous-Warning";

    /// <summary>What the endpoints need.</summary>
    public static void AddServices(IServiceCollection services) => ApiDocument.AddServices(services);

    public static void Map(IEndpointRouteBuilder routes)
    {
        RouteGroupBuilder group = routes.MapGroup("/v1").WithTags(ApiDocument.SegmentationTag);
        group.MapPost("/segment", SegmentAsync).WithName(ApiDocument.SegmentOperation)
            .WithSummary("Segment a picture")
            .WithDescription(
                "Finds the class of every pixel. The body is a JPEG, PNG, WebP, GIF, BMP or TIFF, of any content type, "
                + "or multipart/form-data with the "
                + "file as the part named \"image\" or the only part that has a file name. Phone pictures are turned " +
                    "upright.")
            .Produces<SegmentReport>()
            .ProducesProblem(StatusCodes.Status400BadRequest)
            .ProducesProblem(StatusCodes.Status404NotFound)
            .ProducesProblem(StatusCodes.Status413PayloadTooLarge)
            .ProducesProblem(StatusCodes.Status415UnsupportedMediaType)
            .ProducesProblem(StatusCodes.Status503ServiceUnavailable)
            .ProducesProblem(StatusCodes.Status504GatewayTimeout);
        group.MapGet("/models", ListModels).WithName(ApiDocument.ModelsOperation)
            .WithSummary("List the models")
            .WithDescription("The models with their classes and state, and what requests may cost.")
            .Produces<ModelsReport>()
            .ProducesProblem(StatusCodes.Status400BadRequest);
        ApiDocument.Map(routes);
    }

    private static async Task SegmentAsync(HttpContext context, [FromServices] IModelCatalog catalog)
    {
        SegmentQuery query = SegmentQuery.Parse(context.Request.Query);
        IServedModel segmenter = catalog.Get(query.Model);
        if (query.Request.Priority > segmenter.Batching.PriorityLevels)
            throw new BadHttpRequestException(
                $"The priority {query.Request.Priority} is none of 1 to {segmenter.Batching.PriorityLevels}.");
        segmenter.EnsureAccepting();
        // A class that is none is told before the work.
        if (query.Only is not null)
            query.RegionsOf(segmenter.Info);
        string device = segmenter.Device;
        using IAnswer answer = await AnswerAsync(context, query, segmenter, device);
        // Of the picture's memory only what the answer takes is held by now, and not for ever.
        await answer.WriteAsync(context.Response, context.RequestAborted);
    }

    private static async Task<IAnswer> AnswerAsync(
        HttpContext context, SegmentQuery query, IServedModel segmenter, string device)
    {
        using SegmentedPhoto result = await ResultAsync(context, query, segmenter);
        string? warning = string.Join(
            " ", new[] { result.Photo.Warning, result.Mask.Note, NoDataNote(result.Mask) }.OfType<string>());
        warning = warning.Length > 0 ? warning : null;
        long start = Stopwatch.GetTimestamp();
        using Activity? encoding = Instruments.Encoding(segmenter.Name);
        IAnswer answer = query.Format is SegmentFormat.Json or SegmentFormat.Rle or SegmentFormat.Polygons
            ? await ReportAsync(context, query, result, segmenter, device, warning)
            : query.File is not null ? await FileAsync(context, query, result, segmenter)
            : Encode(query, result);
        WriteTimes(context.Response, result.Timings, Stopwatch.GetElapsedTime(start));
        if (warning is not null)
            context.Response.Headers[WarningHeader] = warning;
        return answer;
    }

    private static string? NoDataNote(Segmentation mask) =>
        mask is { NoDataLabel: { } label, NoDataPixels: > 0 and var pixels }
        ? string.Create(CultureInfo.InvariantCulture, $"{pixels} pixels have no data, and are {label} in the mask.")
        : null;

    /// <summary>Holds the body no longer than it takes to make the mask.</summary>
    private static async Task<SegmentedPhoto> ResultAsync(
        HttpContext context, SegmentQuery query, IServedModel segmenter)
    {
        using BodyLease body = await RequestBody.ReadAsync(context, context.RequestAborted);
        ReadOnlyMemory<byte> file =
            await PictureFile.FindAsync(context.Request.ContentType, body.Memory, context.RequestAborted);
        return await segmenter.SegmentAsync(file, query.Request, context.RequestAborted);
    }

    private static async Task<ReportAnswer> ReportAsync(
        HttpContext context, SegmentQuery query, SegmentedPhoto result, IServedModel segmenter, string device,
        string? warning)
    {
        CancellationToken cancellationToken = context.RequestAborted;
        IDisposable? room = null;
        long bytes = ReportSize.Of(query.Format, result.Mask, cancellationToken);
        if (bytes > 0)
        {
            // Who holds one part of the memory and waits for another could wait for ever.
            result.Dispose();
            room = await context.RequestServices.GetRequiredService<AnswerRoom>().TakeAsync(
                bytes, "outlines", segmenter, query.Request?.Timeout, cancellationToken);
        }
        try
        {
            IReadOnlyList<ClassReport> classes = Classes(query, result.Mask, segmenter.Info, cancellationToken);
            return new ReportAnswer(
                new SegmentReport(
                    segmenter.Name, device, result.Mask.Width, result.Mask.Height, classes,
                    TimeReport.Of(result.Timings))
                {
                    Warning = warning,
                },
                room, bytes);
        }
        catch
        {
            room?.Dispose();
            throw;
        }
    }

    /// <summary>
    /// Outlines have no need of the photo; pictures are drawn with it, in memory that it has already.
    /// </summary>
    private static async Task<FileAnswer> FileAsync(
        HttpContext context, SegmentQuery query, SegmentedPhoto result, IServedModel segmenter)
    {
        FileFormat format = query.File!;
        RegionOptions regions = query.RegionsOf(segmenter.Info);
        IDisposable? room = null;
        if (format.IsPicture)
        {
            regions = new RegionOptions { Labels = regions.Labels };
        }
        else
        {
            long size = ReportSize.Of(SegmentFormat.File, result.Mask, context.RequestAborted);
            // Who holds one part of the memory and waits for another could wait for ever.
            result.Dispose();
            room = await context.RequestServices.GetRequiredService<AnswerRoom>().TakeAsync(
                size, "outlines", segmenter, query.Request.Timeout, context.RequestAborted);
        }
        try
        {
            var picture = new AnnotatedPicture(
                query.Name, result.Photo, result.Mask, query.Palette ?? result.Mask.Palette, regions)
            {
                Opacity = query.Opacity,
                Place = result.Place,
                Tags = result.Tags,
            };
            var bytes = new MemoryStream();
            format.Write(bytes, picture);
            if (format.IsPicture)
                room = result.Keep(bytes.Capacity);
            return new FileAnswer(bytes, $"attachment; filename=\"picture{format.Suffix}\"", format.Type, room);
        }
        catch
        {
            room?.Dispose();
            throw;
        }
    }

    private static FileAnswer Encode(SegmentQuery query, SegmentedPhoto result)
    {
        var bytes = new MemoryStream();
        if (query.Format == SegmentFormat.Png)
        {
            result.Mask.SaveMask(bytes, query.Palette);
            return PictureAnswer("mask", "png");
        }
        using (Image overlay = result.Mask.Overlay(result.Photo, query.Opacity, query.Palette))
        {
            if (query.Encoding == ImageFormat.Jpeg)
                overlay.SaveJpeg(bytes, query.Quality);
            else
                overlay.SavePng(bytes);
        }
        return PictureAnswer("overlay", query.Encoding == ImageFormat.Jpeg ? "jpeg" : "png");

        FileAnswer PictureAnswer(string name, string type) => new(
            bytes, $"inline; filename=\"{name}.{type}\"", "image/" + type, result.Keep(bytes.Capacity));
    }

    private static IReadOnlyList<ClassReport> Classes(
        SegmentQuery query, Segmentation mask, ModelInfo model, CancellationToken cancellationToken) => ClassReport.Of(
            mask,
            query.Palette ?? mask.Palette,
            query.Format != SegmentFormat.Rle ? null : mask.RunLengths().ToDictionary(
                run => run.Label,
                run => new RunLengths(
                    [run.Height, run.Width], query.CompressedCounts ? run.Compress() : run.Counts.ToArray())),
            query.Format != SegmentFormat.Polygons
                ? null
                : mask.Regions(query.RegionsOf(model), cancellationToken));

    /// <summary>The header Server-Timing, which browsers show beside the request.</summary>
    private static void WriteTimes(HttpResponse response, RequestTimings timings, TimeSpan encode)
    {
        (string Name, TimeSpan Time)[] times =
        [
            ("queue", timings.Queue), ("decode", timings.Decode), ("preprocess", timings.Preprocess),
                ("network", timings.Network),
            ("postprocess", timings.Postprocess), ("encode", encode),
        ];
        response.Headers["Server-Timing"] = string.Join(", ", times.Select(
            time => string.Create(CultureInfo.InvariantCulture, $"{time.Name};dur={TimeReport.Round(time.Time)}")));
    }

    private static JsonHttpResult<ModelsReport> ListModels(
        HttpContext context, [FromServices] IModelCatalog catalog, [FromServices] IOptions<AtrousOptions> options,
        [FromServices] ServerOptions server)
    {
        Palette? palette = SegmentQuery.ParseModels(context.Request.Query);
        var limits = new LimitsReport(server.Limits.MaxBodyBytes, options.Value.MaxPixels);
        return TypedResults.Json(new ModelsReport(
            [.. catalog.Models.Select(status => Describe(status, catalog.Get(status.Name), palette))],
            catalog.Default.Name, limits), ServerJson.Web.ModelsReport);
    }

    private static ModelReport Describe(ModelStatus status, IServedModel segmenter, Palette? palette)
    {
        var report = new ModelReport(status.Name, status.State, status.Reason, null, null, null, null, null, [], []);
        try
        {
            ModelInfo info = segmenter.Info;
            palette ??= info.Palette ?? Palette.For(info.ClassNames);
            return report with
            {
                Device = segmenter.Device,
                Precision = segmenter.Precision.ToString().ToLowerInvariant(),
                Architecture = info.Architecture,
                Backbone = info.Backbone,
                OutputStride = info.OutputStride,
                Assumed = info.Assumptions,
                Classes = [.. Enumerable.Range(0, info.Classes).Select(label => new ModelClass(
                    label, label < info.ClassNames.Count
                        ? info.ClassNames[label]
                        : $"class {label}", palette[label].ToString()))],
            };
        }
        catch (ModelNotReadyException)
        {
            // Its state says why there is nothing more to tell.
            return report;
        }
    }
}
