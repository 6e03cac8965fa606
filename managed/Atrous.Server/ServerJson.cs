using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization;
using Atrous.Hosting;
using Atrous.Server.OpenInference;
using Atrous.Server.V1;
using Microsoft.AspNetCore.Mvc;

namespace Atrous.Server;

/// <summary>All documents that the server answers with. The code that writes them is generated.</summary>
[JsonSerializable(typeof(ServerMetadata))]
[JsonSerializable(typeof(ServerLive))]
[JsonSerializable(typeof(ServerReady))]
[JsonSerializable(typeof(ModelReady))]
[JsonSerializable(typeof(ModelList))]
[JsonSerializable(typeof(ModelMetadata))]
[JsonSerializable(typeof(ModelConfiguration))]
[JsonSerializable(typeof(StatisticsDocument))]
[JsonSerializable(typeof(RepositoryEntry[]))]
[JsonSerializable(typeof(ErrorDocument))]
[JsonSerializable(typeof(SegmentReport))]
[JsonSerializable(typeof(ModelsReport))]
// The polygons of /v2.
[JsonSerializable(typeof(IReadOnlyList<ClassReport>))]
[JsonSerializable(typeof(ProblemDetails))]
// Of run-lengths: what RunLengths.Counts holds.
[JsonSerializable(typeof(string))]
[JsonSerializable(typeof(List<int>))]
[JsonSerializable(typeof(int[]))]
// For the description of the API: the body of an answer that has a form of its own, and the sample pictures.
[JsonSerializable(typeof(object))]
[JsonSerializable(typeof(string[]))]
internal sealed partial class ServerJson : JsonSerializerContext
{
    /// <summary>As ASP.NET writes JSON unless told otherwise; ready states by their names.</summary>
    public static ServerJson Web { get; } = new(new JsonSerializerOptions(JsonSerializerDefaults.Web)
    {
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
        Converters = { StateName },
    });

    /// <summary>The name of a model's state, as every answer has it.</summary>
    public static JsonConverter StateName => new JsonStringEnumConverter<ModelState>(JsonNamingPolicy.CamelCase);
}
