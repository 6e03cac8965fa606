// An ASP.NET app with one endpoint: curl --data-binary @street.jpg http://127.0.0.1:5000/shares
using Atrous;
using Atrous.Hosting;
using Atrous.Server;

WebApplicationBuilder builder = WebApplication.CreateBuilder(args);
builder.Services.AddAtrous(options => options.AddDefaultModel());
// A broken photo is answered with 400 and a sentence, a full queue with 503 and Retry-After.
builder.Services.AddAtrousProblemDetails();
builder.Services.AddHealthChecks();

WebApplication app = builder.Build();
app.UseExceptionHandler();
app.MapHealthChecks("/health");
app.MapPost("/shares", async (HttpRequest request, IServedModel model, CancellationToken cancellationToken) =>
{
    using var body = new MemoryStream();
    await request.Body.CopyToAsync(body, cancellationToken);
    using SegmentedPhoto result = await model.SegmentAsync(body.ToArray(), cancellationToken: cancellationToken);
    Segmentation mask = result.Mask;
    return mask.Shares.ToDictionary(share => mask.NameOf(share.Label), share => Math.Round(share.Share, 4));
});
app.Run();
