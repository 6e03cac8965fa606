namespace Atrous.Postprocessing;

/// <summary>How a kernel of the CRF is scaled, with n = K(1), the kernel's response to a picture of ones.</summary>
public enum CrfNormalization
{
    /// <summary>K(q). As in pydensecrf, no factor at all is applied.</summary>
    None = 0,

    /// <summary>K(q / n).</summary>
    Before = 1,

    /// <summary>K(q) / n.</summary>
    After = 2,

    /// <summary>K(q / √n) / √n: pydensecrf's default.</summary>
    Symmetric = 3,
}
