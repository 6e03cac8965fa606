using System.Diagnostics;
using Atrous.Hosting;
using Atrous.Hosting.Telemetry;
using Atrous.Server.OpenInference;
using Atrous.Server.Rpc.Wire;
using Grpc.Core;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Atrous.Server.Rpc;

/// <summary>
/// The Open Inference Protocol over gRPC: the models, queues, limits and counters of /v2, and its sentences as the
/// messages of status codes.
/// </summary>
internal sealed partial class InferenceService(
    IModelCatalog catalog, Inferences inferences, ServerOptions options, HealthCheckService health,
    IHostApplicationLifetime life, ILogger<InferenceService> logger)
    : GRPCInferenceService.GRPCInferenceServiceBase
{
    public override Task<ServerLiveResponse> ServerLive(ServerLiveRequest request, ServerCallContext context) =>
        Task.FromResult(new ServerLiveResponse { Live = true });

    public override Task<ServerReadyResponse> ServerReady(ServerReadyRequest request, ServerCallContext context) =>
        Answer(context, async () =>
        {
            HealthReport report = await health.CheckHealthAsync(
                check => check.Tags.Contains("ready"), context.CancellationToken);
            return new ServerReadyResponse { Ready = report.Status == HealthStatus.Healthy };
        });

    /// <summary>As Triton's: a model or version that is not there is not ready, which is no error.</summary>
    public override Task<ModelReadyResponse> ModelReady(ModelReadyRequest request, ServerCallContext context) =>
        Answer(context, () => Task.FromResult(new ModelReadyResponse
        {
            Ready = catalog.IsReady(request.Name, request.Version),
        }));

    public override Task<ServerMetadataResponse> ServerMetadata(
        ServerMetadataRequest request, ServerCallContext context) => Task.FromResult(new ServerMetadataResponse
        {
            Name = "atrous",
            Version = OpenInferenceEndpoints.Version,
            Extensions = { OpenInferenceEndpoints.Extensions(options) },
        });

    public override Task<ModelMetadataResponse> ModelMetadata(
        ModelMetadataRequest request, ServerCallContext context) =>
        Answer(context, () => Task.FromResult(WireDocuments.Of(Describe(request.Name, request.Version))));

    public override Task<ModelConfigResponse> ModelConfig(ModelConfigRequest request, ServerCallContext context) =>
        Answer(context, () => Task.FromResult(
            WireDocuments.Of(ModelSurface.Configure(Describe(request.Name, request.Version)))));

    public override Task<ModelStatisticsResponse> ModelStatistics(
        ModelStatisticsRequest request, ServerCallContext context) => Answer(context, () =>
        {
            IEnumerable<IServedModel> models = request.Name.Length > 0
                ? [Find(request.Name, request.Version)]
                : catalog.Models.Select(model => catalog.Get(model.Name));
            return Task.FromResult(new ModelStatisticsResponse
            {
                ModelStats =
                {
                    models.Select(model =>
                        WireDocuments.Of(ModelStatisticsDocument.Of(model.Name, model.Statistics))),
                },
            });
        });

    public override Task<ModelInferResponse> ModelInfer(ModelInferRequest request, ServerCallContext context) =>
        Answer(context, async () =>
        {
            HttpContext http = context.GetHttpContext();
            (ModelInferResponse response, IDisposable held) = await InferAsync(request, context.CancellationToken);
            // The answer is in memory for as long as the client takes to read it.
            http.Response.RegisterForDispose(held);
            CancellationTokenSource deadline =
                AnswerRoom.Deadline(options.Limits, response.CalculateSize(), http.RequestAborted);
            http.Response.RegisterForDispose(deadline);
            deadline.Token.Register(http.Abort);
            return response;
        });

    /// <summary>One request after the other; what fails has a message in its answer, and the stream goes on.</summary>
    public override Task ModelStreamInfer(
        IAsyncStreamReader<ModelInferRequest> requests, IServerStreamWriter<ModelStreamInferResponse> answers,
        ServerCallContext context) => Answer(context, async () =>
        {
            MeteredBody? body = context.GetHttpContext().Features.Get<MeteredBody>();
            using var end = CancellationTokenSource.CreateLinkedTokenSource(
                context.CancellationToken, life.ApplicationStopping);
            while (await NextAsync(requests, end, context.CancellationToken))
            {
                await AnswerAsync(requests.Current, answers, context);
                body?.Release();
            }
            return true;
        });

    public override Task<RepositoryIndexResponse> RepositoryIndex(
        RepositoryIndexRequest request, ServerCallContext context) => Answer(context, () =>
        {
            Guard(context);
            return Task.FromResult(new RepositoryIndexResponse
            {
                Models =
                {
                    catalog.Models.Where(model => !request.Ready || model.State == ModelState.Ready).Select(model =>
                        new RepositoryIndexResponse.Types.ModelIndex
                        {
                            Name = model.Name,
                            Version = ModelSurface.Version,
                            State = model.State.ToString().ToUpperInvariant(),
                            Reason = model.Reason,
                        }),
                },
            });
        });

    public override Task<RepositoryModelLoadResponse> RepositoryModelLoad(
        RepositoryModelLoadRequest request, ServerCallContext context) => Answer(context, async () =>
        {
            Guard(context);
            catalog.StatusOf(request.ModelName);
            if (request.Parameters.Count > 0)
                throw RepositoryRequest.NoParameters();
            await RepositoryRequest.LoadAsync(catalog, request.ModelName);
            return new RepositoryModelLoadResponse();
        });

    public override Task<RepositoryModelUnloadResponse> RepositoryModelUnload(
        RepositoryModelUnloadRequest request, ServerCallContext context) => Answer(context, async () =>
        {
            Guard(context);
            catalog.StatusOf(request.ModelName);
            // A model has no dependents here, so that either value is honoured.
            if (request.Parameters.Keys.Any(name => name != "unload_dependents"))
                throw RepositoryRequest.NoParameters();
            await catalog.UnloadAsync(request.ModelName, CancellationToken.None);
            return new RepositoryModelUnloadResponse();
        });

    private async Task AnswerAsync(
        ModelInferRequest request, IServerStreamWriter<ModelStreamInferResponse> answers, ServerCallContext context)
    {
        IDisposable? held = null;
        try
        {
            var answer = new ModelStreamInferResponse();
            try
            {
                (answer.InferResponse, held) = await InferAsync(request, context.CancellationToken);
            }
            catch (Exception e) when (!context.CancellationToken.IsCancellationRequested)
            {
                answer.ErrorMessage = StatusOf(e, context).Detail;
                // As Triton has it: the client finds by it which of its requests failed.
                answer.InferResponse = new ModelInferResponse { Id = request.Id };
            }
            using CancellationTokenSource deadline =
                AnswerRoom.Deadline(options.Limits, answer.CalculateSize(), context.CancellationToken);
            await using CancellationTokenRegistration abort = deadline.Token.Register(context.GetHttpContext().Abort);
            await answers.WriteAsync(answer, context.CancellationToken);
        }
        catch (Exception e) when (e is InvalidOperationException || IsReset(e))
        {
            throw Gone(e);
        }
        finally
        {
            held?.Dispose();
        }
    }

    private async Task<(ModelInferResponse Response, IDisposable Held)> InferAsync(
        ModelInferRequest wire, CancellationToken cancellationToken)
    {
        IServedModel model = Find(wire.ModelName, wire.ModelVersion);
        model.EnsureAccepting();
        InferRequest request = WireRequest.Read(wire);
        InferredMasks masks =
            await inferences.RunAsync(model, request, WireResponse.CostOf, cancellationToken);
        try
        {
            using Activity? encoding = Instruments.Encoding(wire.ModelName);
            return (WireResponse.Of(wire.ModelName, request, masks), masks);
        }
        catch
        {
            masks.Dispose();
            throw;
        }
    }

    /// <summary>A server that stops ends its streams after the request that they are at.</summary>
    private static async Task<bool> NextAsync(
        IAsyncStreamReader<ModelInferRequest> requests, CancellationTokenSource end,
        CancellationToken cancellationToken)
    {
        try
        {
            return await requests.MoveNext(end.Token);
        }
        catch (Exception e) when (e is OperationCanceledException or RpcException { StatusCode: StatusCode.Cancelled }
            && end.IsCancellationRequested && !cancellationToken.IsCancellationRequested)
        {
            throw RpcFailure.Exception(StatusCodes.Status503ServiceUnavailable, "The server is shutting down.");
        }
        catch (Exception e) when (IsReset(e))
        {
            throw Gone(e);
        }
    }

    private static bool IsReset(Exception exception) => exception is IOException and not BadHttpRequestException;

    /// <summary>A stream says that its client has left it before the call is cancelled.</summary>
    private static OperationCanceledException Gone(Exception exception) => new("The client went away.", exception);

    private IServedModel Find(string model, string version) =>
        catalog.Find(model, version.Length > 0 ? version : null);

    private ModelMetadata Describe(string model, string version)
    {
        ModelInfo info = Find(model, version).Info;
        return ModelSurface.Describe(model, info.Classes, info.ClassNames);
    }

    private void Guard(ServerCallContext context) => new AdminGuard(options).Check(context.GetHttpContext().Request);

    private async Task<T> Answer<T>(ServerCallContext context, Func<Task<T>> work)
    {
        try
        {
            return await work();
        }
        catch (Exception e)
        {
            throw new RpcException(StatusOf(e, context));
        }
    }

    private Status StatusOf(Exception exception, ServerCallContext context)
    {
        Status status = RpcFailure.Of(exception, context.GetHttpContext().RequestAborted.IsCancellationRequested);
        if (status.StatusCode == StatusCode.Internal)
            Unexpected(logger, exception, context.Method);
        return status;
    }

    [LoggerMessage(1, LogLevel.Error, "{Method} failed")]
    private static partial void Unexpected(ILogger logger, Exception exception, string method);
}
