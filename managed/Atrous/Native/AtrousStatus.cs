namespace Atrous.Native;

/// <summary>
/// What every function of libatrous that can fail returns. Hand it to <see cref="LibAtrous.ThrowIfFailed"/>.
/// </summary>
internal enum AtrousStatus
{
    Ok = 0,
    InvalidArgument = 1,
    OutOfMemory = 2,
    Unsupported = 3,
    TooLarge = 4,
    Internal = 5,
    NotFinite = 6,
}
