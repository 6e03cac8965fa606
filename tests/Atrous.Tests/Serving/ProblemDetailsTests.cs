using Atrous.Imaging;
using Atrous.Server;
using Atrous.Tests.Cli;
using Atrous.Tests.Serving.V1;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace Atrous.Tests.Serving;

/// <summary>AddAtrousProblemDetails in an ASP.NET app that is not ours: it answers what the server answers.</summary>
public sealed class ProblemDetailsTests
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Theory]
    [MemberData(nameof(BusySegmenterTests.Failures), MemberType = typeof(BusySegmenterTests))]
    public async Task An_exception_of_Atrous_is_answered_as_the_server_answers_it(
        Exception failure, int status, int? retryAfter)
    {
        await using WebApplication application = await Start(_ => throw failure);
        using HttpResponseMessage response = await Ask(application);
        Assert.Equal(status, (int)response.StatusCode);
        Assert.Equal(BusySegmenterTests.DetailOf(failure, status), await SegmentServer.ProblemOf(response));
        Assert.Equal(retryAfter, response.Headers.RetryAfter?.Delta?.TotalSeconds);
    }

    [Fact]
    public async Task A_broken_picture_is_the_client_s_fault_whatever_the_client_accepts()
    {
        await using WebApplication application = await Start(async context =>
        {
            using var body = new MemoryStream();
            await context.Request.Body.CopyToAsync(body, context.RequestAborted);
            using Image photo = Image.Load(body.ToArray());
            await context.Response.WriteAsync($"{photo.Height}", context.RequestAborted);
        });
        byte[] broken = Workplace.Photo()[..200];
        using HttpResponseMessage sound = await Ask(application, Workplace.Photo());
        Assert.Equal("33", await sound.Content.ReadAsStringAsync(Token));
        foreach (string accepted in (string[])["*/*", "image/png"])
        {
            using HttpResponseMessage response = await Ask(application, broken, accepted);
            Assert.Equal(400, (int)response.StatusCode);
            Assert.NotEmpty(await SegmentServer.ProblemOf(response));
        }
    }

    [Fact]
    public async Task The_app_s_own_exceptions_stay_its_own()
    {
        await using WebApplication application = await Start(_ => throw new InvalidOperationException("secret"));
        using HttpResponseMessage response = await Ask(application);
        Assert.Equal(500, (int)response.StatusCode);
        Assert.DoesNotContain("secret", await response.Content.ReadAsStringAsync(Token));
        Assert.DoesNotContain("internal error; the", await response.Content.ReadAsStringAsync(Token));
    }

    private static async Task<WebApplication> Start(RequestDelegate endpoint)
    {
        WebApplicationBuilder builder = WebApplication.CreateSlimBuilder();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        builder.Logging.ClearProviders();
        builder.Services.AddAtrousProblemDetails();
        WebApplication application = builder.Build();
        application.UseExceptionHandler();
        application.MapPost("/", endpoint);
        await application.StartAsync(Token);
        return application;
    }

    private static async Task<HttpResponseMessage> Ask(
        WebApplication application, byte[]? body = null, string accepted = "*/*")
    {
        using var client = new HttpClient { BaseAddress = new Uri(application.Urls.First()) };
        client.DefaultRequestHeaders.Add("Accept", accepted);
        return await client.PostAsync("", new ByteArrayContent(body ?? []), Token);
    }
}
