namespace Atrous.Specs;
public sealed record PreprocessingSpec { public static readonly PreprocessingSpec ImageNet = new(); public float[] Mean {get;init;}=[]; public float[] Std{get;init;}=[]; public ResizePolicy Resize {get;init;}=new ResizePolicy.None(); }
public abstract record ResizePolicy { public sealed record None : ResizePolicy; public sealed record LongSide(int Size) : ResizePolicy; }
