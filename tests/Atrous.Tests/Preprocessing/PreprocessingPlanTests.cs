using Atrous.Imaging;
using Atrous.Preprocessing;
using Atrous.Specs;

namespace Atrous.Tests.Preprocessing;

public class PreprocessingPlanTests
{
    [Theory]
    // torchvision.transforms.functional._compute_resized_output_size of (height, width), [520] and max_size.
    [InlineData(375, 500, 520, null, 520, 693)]
    [InlineData(500, 375, 520, null, 693, 520)]
    [InlineData(1024, 2048, 1024, 2048, 1024, 2048)]
    [InlineData(720, 1280, 1024, 1333, 749, 1333)]
    [InlineData(1, 7, 3, null, 3, 21)]
    [InlineData(33, 100, 50, null, 50, 151)]
    public void Short_side_as_torchvision(
        int height, int width, int size, int? max, int expectedHeight, int expectedWidth) =>
        AssertWhole(new ResizePolicy.ShortSide(size, max), height, width, expectedHeight, expectedWidth);

    [Theory]
    [InlineData(375, 500, 513, false, 385, 513)]
    [InlineData(500, 375, 513, false, 513, 385)]
    [InlineData(3, 2, 5, false, 5, 3)]
    [InlineData(2, 4, 5, false, 3, 5)]  // 2.5 rounds up
    [InlineData(1, 1000, 100, false, 1, 100)]
    [InlineData(300, 400, 513, true, 300, 400)]
    [InlineData(600, 800, 513, true, 385, 513)]
    public void Long_side_rounds_half_up(
        int height, int width, int size, bool onlyShrink, int expectedHeight, int expectedWidth) =>
        AssertWhole(new ResizePolicy.LongSide(size, onlyShrink), height, width, expectedHeight, expectedWidth);

    [Fact]
    public void Native_and_stretched_sizes()
    {
        AssertWhole(new ResizePolicy.None(), 123, 457, 123, 457);
        AssertWhole(new ResizePolicy.Stretch(512, 1024), 123, 457, 512, 1024);
    }

    [Theory]
    // int(side * min(512 / width, 512 / height)), centred with // 2, as bubbliiiing's resize_image and paste do.
    [InlineData(375, 500, 64, 0, 384, 512)]
    [InlineData(500, 375, 0, 64, 512, 384)]
    [InlineData(100, 101, 3, 0, 506, 512)]
    [InlineData(1, 5000, 255, 0, 1, 512)]
    public void Letterbox_keeps_the_aspect_ratio_and_centres(
        int height, int width, int top, int left, int rows, int columns) =>
        Assert.Equal(
            new PreprocessingPlan(512, 512, new PictureWindow(top, left, rows, columns)),
            PreprocessingPlan.For(Spec(new ResizePolicy.Letterbox(512, 512, 128)), height, width));

    [Theory]
    [InlineData(1, 128, 480)]
    [InlineData(0.5, 64, 256)]  // 62 x 229
    public void Sides_are_filled_up_to_a_multiple(double scale, int expectedHeight, int expectedWidth)
    {
        PreprocessingPlan whole = PreprocessingPlan.For(Spec(new ResizePolicy.None()), 123, 457, scale: scale);
        Assert.Equal(
            whole with { Height = expectedHeight, Width = expectedWidth },
            PreprocessingPlan.For(
                Spec(new ResizePolicy.None()) with { SizeMultiple = 32 }, 123, 457, scale: scale));
    }

    [Fact]
    public void Sides_are_stretched_up_to_a_multiple() => Assert.Equal(
        new PreprocessingPlan(128, 480, new PictureWindow(0, 0, 128, 480)),
        PreprocessingPlan.For(
            Spec(new ResizePolicy.None()) with { SizeMultiple = 32, StretchesToMultiple = true }, 123, 457));

    [Theory]
    [InlineData(0.75, 92, 343)]  // 92.25 and 342.75
    [InlineData(1.25, 154, 571)]
    [InlineData(0.1, 12, 46)]
    public void A_scale_rounds_half_up(double scale, int expectedHeight, int expectedWidth) =>
        Assert.Equal(
            new PreprocessingPlan(
                expectedHeight, expectedWidth, new PictureWindow(0, 0, expectedHeight, expectedWidth)),
            PreprocessingPlan.For(Spec(new ResizePolicy.None()), 123, 457, scale: scale));

    [Theory]
    [InlineData(375, 500)]
    [InlineData(1, 5000)]
    [InlineData(333, 77)]
    public void A_scaled_letterbox_keeps_its_picture_inside(int height, int width)
    {
        for (double scale = 0.1; scale < 2; scale += 0.05)
        {
            PreprocessingPlan plan =
                PreprocessingPlan.For(Spec(new ResizePolicy.Letterbox(511, 513, 128)), height, width, scale: scale);
            Assert.Equal(((int)(511 * scale + 0.5), (int)(513 * scale + 0.5)), (plan.Height, plan.Width));
            Assert.InRange(plan.Window.Top, 0, plan.Height - plan.Window.Height);
            Assert.InRange(plan.Window.Left, 0, plan.Width - plan.Window.Width);
            Assert.True(plan.Window is { Height: > 0, Width: > 0 });
        }
    }

    [Fact]
    public void An_extreme_aspect_ratio_is_refused() =>
        Assert.Contains(
            "less extreme",
            Assert.Throws<ImageException>(
                () => PreprocessingPlan.For(Spec(new ResizePolicy.ShortSide(520)), 1, 1_000_000)).Message);

    private static void AssertWhole(
        ResizePolicy policy, int height, int width, int expectedHeight, int expectedWidth) =>
        Assert.Equal(
            new PreprocessingPlan(
                expectedHeight, expectedWidth, new PictureWindow(0, 0, expectedHeight, expectedWidth)),
            PreprocessingPlan.For(Spec(policy), height, width));

    private static PreprocessingSpec Spec(ResizePolicy policy) => PreprocessingSpec.ImageNet with { Resize = policy };
}
