using System.Text.RegularExpressions;
using Atrous.Tests.Segmenters;
using Atrous.Tests.Support;
using k8s;
using k8s.Models;

namespace Atrous.Tests.Cli.Deploy;

/// <summary>
/// What deploy/ has: read with the types of Kubernetes' own API, of which each knows its members, and run as far as a
/// machine without a cluster can.
/// </summary>
public sealed partial class ManifestTests(GeneratedModel model) : IDisposable
{
    private readonly Workplace _place = new();

    public void Dispose() => _place.Dispose();

    [Fact]
    public void The_server_s_manifests_are_the_API_s_and_fit_each_other()
    {
        List<object> all = Load("deployment.yaml");
        V1Deployment deployment = Assert.Single(all.OfType<V1Deployment>());
        V1Service service = Assert.Single(all.OfType<V1Service>());
        V2HorizontalPodAutoscaler scaler = Assert.Single(all.OfType<V2HorizontalPodAutoscaler>());
        V1PodDisruptionBudget budget = Assert.Single(all.OfType<V1PodDisruptionBudget>());
        Assert.Equal(4, all.Count);

        V1PodTemplateSpec pod = deployment.Spec.Template;
        Assert.Equal(pod.Metadata.Labels, deployment.Spec.Selector.MatchLabels);
        Assert.Equal(pod.Metadata.Labels, service.Spec.Selector);
        Assert.Equal(pod.Metadata.Labels, budget.Spec.Selector.MatchLabels);
        Assert.Equal(("Deployment", deployment.Metadata.Name),
            (scaler.Spec.ScaleTargetRef.Kind, scaler.Spec.ScaleTargetRef.Name));
        Assert.True(scaler.Spec.MinReplicas > 1 && int.Parse(budget.Spec.MinAvailable.Value) < scaler.Spec.MinReplicas);

        V1Container server = Assert.Single(pod.Spec.Containers);
        AssertPorts(server);
        Assert.All(service.Spec.Ports, port => Assert.Contains(server.Ports, own => own.Name == port.TargetPort.Value));
        Assert.Equal(pod.Metadata.Annotations["prometheus.io/port"], Value(server.Args, "--port"));
        int end = int.Parse(Value(server.Args, "--drain-delay")) + int.Parse(Value(server.Args, "--drain")) + 5;
        Assert.True(pod.Spec.TerminationGracePeriodSeconds > end);
        Assert.Contains("atrous_queue_length", scaler.Spec.Metrics.Select(metric => metric.Pods.Metric.Name));
        AssertOptions(server.Args);
    }

    [Fact]
    public void KServe_s_manifests_have_the_API_s_containers()
    {
        List<object> all = Load("kserve.yaml");
        ServingRuntime runtime = Assert.Single(all.OfType<ServingRuntime>());
        InferenceServiceManifest service = Assert.Single(all.OfType<InferenceServiceManifest>());
        V1Container server = Assert.Single(runtime.Spec.Containers);
        Assert.Equal("kserve-container", server.Name);
        AssertPorts(server);
        AssertOptions(server.Args);
        Assert.True(service.Spec.Predictor.TerminationGracePeriodSeconds >= 10 + 30 + 5);
        Assert.Equal(runtime.Metadata.Name, service.Spec.Predictor.Model.Runtime);
        Assert.Contains(service.Spec.Predictor.Model.ProtocolVersion, runtime.Spec.ProtocolVersions);
        Assert.Contains(
            runtime.Spec.SupportedModelFormats, format => format.Name == service.Spec.Predictor.Model.ModelFormat.Name);
    }

    /// <summary>Its own arguments, with the folder of a test in the claim's place, for two indexes.</summary>
    [Fact]
    public void The_job_s_arguments_do_their_part()
    {
        V1Job job = Assert.Single(Load("indexed-job.yaml").OfType<V1Job>());
        V1Container task = Assert.Single(job.Spec.Template.Spec.Containers);
        Assert.Equal("Indexed", job.Spec.CompletionMode);
        Assert.Equal($"$(JOB_COMPLETION_INDEX)/{job.Spec.Completions}", Value(task.Args, "--shard"));
        Assert.Equal("Never", job.Spec.Template.Spec.RestartPolicy); // which the failure policy asks for
        V1PodFailurePolicyRule rule = Assert.Single(
            job.Spec.PodFailurePolicy.Rules, rule => rule.OnExitCodes is not null);
        Assert.Equal(("FailIndex", task.Name), (rule.Action, rule.OnExitCodes.ContainerName));
        Assert.Equal([2, 3], rule.OnExitCodes.Values);

        AddPhotos();
        foreach (string index in new[] { "0", "1" })
        {
            string[] arguments = [.. task.Args.Select(argument => argument
                .Replace("$(JOB_COMPLETION_INDEX)", index).Replace("/data", _place.Folder))];
            Tool.Run([.. arguments, "--model", model.Path]).Exits(0);
        }
        AssertParts(0, 1);
    }

    /// <summary>
    /// The array's script as Slurm starts it; what is queued again has nothing to do. A task that is submitted alone
    /// does the part that it did in the array.
    /// </summary>
    [Fact]
    public void The_array_s_script_does_its_part()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "Slurm's scripts run on Linux.");
        AddPhotos();
        string script = Repository.PathOf("deploy/slurm/segment.sbatch");
        (string Task, string Count, string? Shards, int Code)[] tasks =
            [("6", "8", null, 0), ("7", "1", null, 2), ("7", "1", "8", 0), ("7", "8", null, 0)];
        foreach ((string task, string count, string? shards, int code) in tasks)
        {
            var start = new System.Diagnostics.ProcessStartInfo("bash", [script])
            {
                RedirectStandardError = true,
                Environment =
                {
                    ["SLURM_ARRAY_TASK_ID"] = task,
                    ["SLURM_ARRAY_TASK_COUNT"] = count,
                    ["SLURM_ARRAY_TASK_MIN"] = count == "8" ? "0" : task,
                    ["SHARDS"] = shards,
                    ["PHOTOS"] = _place["photos"],
                    ["OUT"] = _place.Folder,
                    ["MODEL"] = model.Path,
                    ["ATROUS"] = Tool.Path,
                    ["ATROUS_OPTIONS"] = "--quiet --threads 1",
                },
            };
            using var process = System.Diagnostics.Process.Start(start)!;
            string error = process.StandardError.ReadToEnd();
            process.WaitForExit();
            Assert.True(process.ExitCode == code, error);
        }
        AssertParts(6, 7);
    }

    [Fact]
    public void A_member_that_the_API_does_not_know_is_noticed()
    {
        string job = File.ReadAllText(Repository.PathOf("deploy/kubernetes/indexed-job.yaml"));
        Assert.ThrowsAny<Exception>(() => KubernetesYaml.LoadAllFromString(
            job.Replace("completionMode:", "completionMood:"), strict: true));
    }

    [Fact]
    public void Compose_gives_the_server_options_that_it_has_and_the_dashboard_asks_for_metrics_that_there_are()
    {
        string compose = File.ReadAllText(Repository.PathOf("deploy/compose/docker-compose.yml"));
        string command = Command().Match(compose).Groups[1].Value;
        string[] arguments = [.. command.Split(',').Select(word => word.Trim().Trim('"'))];
        AssertOptions(arguments);
        Assert.Contains($"atrous:{Value(arguments, "--port")}",
            File.ReadAllText(Repository.PathOf("deploy/compose/prometheus.yml")));

        string[] instruments = [.. Instrument().Matches(
                File.ReadAllText(Repository.PathOf("managed/Atrous.Hosting/Telemetry/Instruments.cs")))
            .Select(match => match.Groups[1].Value.Replace('.', '_'))];
        string dashboard = File.ReadAllText(Repository.PathOf("deploy/compose/grafana/dashboards/atrous.json"));
        string[] asked = [.. Metric().Matches(dashboard).Select(match => match.Value).Distinct()];
        Assert.True(asked.Length > 8);
        Assert.All(asked, name => Assert.Contains(instruments, instrument =>
            Suffix().Replace(name, "") == instrument || Suffix().Replace(name, "").StartsWith(instrument + "_")));
    }

    private static List<object> Load(string file) => KubernetesYaml.LoadAllFromString(
        File.ReadAllText(Repository.PathOf($"deploy/kubernetes/{file}")),
        new Dictionary<string, Type>
        {
            ["serving.kserve.io/v1alpha1/ServingRuntime"] = typeof(ServingRuntime),
            ["serving.kserve.io/v1beta1/InferenceService"] = typeof(InferenceServiceManifest),
        },
        strict: true);

    private static void AssertPorts(V1Container server)
    {
        int[] ports = [.. server.Ports.Select(port => port.ContainerPort)];
        Assert.Equal([int.Parse(Value(server.Args, "--port")), int.Parse(Value(server.Args, "--grpc-port"))], ports);
        Assert.Equal("*", Value(server.Args, "--host"));
        foreach (V1Probe probe in new[] { server.StartupProbe, server.LivenessProbe, server.ReadinessProbe })
        {
            Assert.Contains(server.Ports, port => port.Name == probe.HttpGet.Port.Value
                || $"{port.ContainerPort}" == probe.HttpGet.Port.Value);
        }
        Assert.Equal(("/livez", "/readyz"), (server.LivenessProbe.HttpGet.Path, server.ReadinessProbe.HttpGet.Path));
    }

    private static void AssertOptions(IList<string> arguments)
    {
        string help = Tool.Run(arguments[0], "--help").Exits(0).Output;
        Assert.All(
            arguments.Where(argument => argument.StartsWith("--")),
            option => Assert.Matches($@"{Regex.Escape(option)}(?![a-z-])", help));
    }

    private static string Value(IList<string> arguments, string option) => arguments[arguments.IndexOf(option) + 1];

    private void AddPhotos()
    {
        for (int i = 0; i < 12; i++)
            _place.AddPhoto($"photos/{i}.png");
    }

    private void AssertParts(params int[] parts)
    {
        string[] expected = [.. Enumerable.Range(0, 12).Select(i => $"{i}.png")
            .Where(name => parts.Any(part => new Atrous.Cli.Batches.Shard(part, 8).Has(name)))];
        Assert.NotEmpty(expected);
        Assert.Equal(
            expected.Select(name => $"masks/{name[..^4]}.mask.png").Order(StringComparer.Ordinal),
            _place.Files.Where(file => file.StartsWith("masks/")));
        Assert.Equal(expected.Length, parts.Sum(part => File.ReadAllLines(_place[$"lines/{part}.jsonl"]).Length));
    }

    [GeneratedRegex(@"command: \[(.*)\]")]
    private static partial Regex Command();

    [GeneratedRegex(@"""(atrous\.[a-z.]+)""")]
    private static partial Regex Instrument();

    [GeneratedRegex(@"atrous_[a-z_]+")]
    private static partial Regex Metric();

    [GeneratedRegex("_(bucket|sum|count|total)$")]
    private static partial Regex Suffix();
}
