using System.Diagnostics;

namespace Atrous.Hosting.Telemetry;

/// <summary>Puts the stages of a request into its activity, as children with the times that were measured.</summary>
internal static class StageActivities
{
    public static void Add(Activity? request, DateTimeOffset enqueued, RequestTimings timings)
    {
        if (request is not { IsAllDataRequested: true })
            return;
        request.SetTag("atrous.batch.size", timings.BatchSize);
        // Waiting comes before and after decoding; as one stretch it is put before.
        DateTimeOffset start = enqueued;
        start = Child(request, "queue", start, timings.Queue);
        start = Child(request, "decode", start, timings.Decode);
        start = Child(request, "preprocess", start, timings.Preprocess);
        start = Child(request, "network", start, timings.Network);
        Child(request, "postprocess", start, timings.Postprocess);
    }

    private static DateTimeOffset Child(Activity parent, string name, DateTimeOffset start, TimeSpan length)
    {
        DateTimeOffset end = start + length;
        if (length > TimeSpan.Zero)
        {
            using Activity? child =
                Instruments.Activities.StartActivity(name, ActivityKind.Internal, parent.Context, startTime: start);
            child?.SetEndTime(end.UtcDateTime);
        }
        return end;
    }
}
