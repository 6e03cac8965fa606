namespace Atrous.Postprocessing;

/// <summary>
/// How far the CRF of a picture is: told before it begins, with what it will take, and after each iteration.
/// </summary>
/// <param name="Height">The rows that it works on, which are fewer than the picture's where that is too large.</param>
/// <param name="Width">The pixels of a row that it works on.</param>
/// <param name="Bytes">The memory that it is expected to take.</param>
/// <param name="Iteration">The iterations that are done; 0 before it begins.</param>
/// <param name="Iterations">The number of all iterations.</param>
public readonly record struct CrfProgress(int Height, int Width, long Bytes, int Iteration, int Iterations);
