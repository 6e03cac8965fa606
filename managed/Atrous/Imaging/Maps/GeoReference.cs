namespace Atrous.Imaging.Maps;

/// <summary>
/// Where the pixels of a picture lie on a map: x and y are a linear function of column and row. Corners of pixels are
/// counted as in a <see cref="Image"/>: (0, 0) is the outer corner of the first pixel.
/// </summary>
internal sealed class GeoReference
{
    // The keys and numbers of the GeoTIFF standard.
    private const int ModelType = 1024, RasterType = 1025, GeographicSystem = 2048, AngularUnit = 2054,
        ProjectedSystem = 3072, Method = 3075, LinearUnit = 3076, LinearUnitSize = 3077;

    private const int Projected = 1, Geographic = 2, PixelIsPoint = 2, UserDefined = 32767, Degree = 9102,
        WebMercator = 3857;

    /// <summary>
    /// Projections on which a metre of the map is one of the earth along a line or at a point alone, by the GeoTIFF
    /// standard's numbers: Mercator, azimuthal equidistant, equirectangular, gnomonic, Miller, orthographic, Robinson,
    /// Van der Grinten.
    /// </summary>
    private static readonly int[] DistortingMethods = [7, 12, 17, 19, 20, 21, 23, 25];

    /// <summary>
    /// Systems of EPSG's register with such a projection that reach far: of Mercator's and equidistant cylindrical.
    /// Those near the equator, or of one island, are true enough.
    /// </summary>
    private static readonly int[] DistortingSystems =
        [3349, 3388, 3395, 3752, 3785, 3786, 3832, 3994, 4087, 4088, 5641, 32662, 32663];

    // WGS 84.
    private const double EarthAxis = 6378137, Flattening = 1 / 298.257223563;

    private readonly double _x, _xColumn, _xRow, _y, _yColumn, _yRow;
    private readonly int _model, _angularUnit;
    private readonly double? _metres;

    private GeoReference(GeoTags tags, double[] matrix)
    {
        var keys = new GeoKeys(tags);
        (_xColumn, _xRow, _x, _yColumn, _yRow, _y) = (matrix[0], matrix[1], matrix[3], matrix[4], matrix[5], matrix[7]);
        if (keys.Number(RasterType) == PixelIsPoint)
        {
            // The file's numbers are of the middle of the first pixel.
            _x -= (_xColumn + _xRow) / 2;
            _y -= (_yColumn + _yRow) / 2;
        }
        _model = keys.Number(ModelType) ?? 0;
        _angularUnit = keys.Number(AngularUnit) ?? Degree;
        int? system = _model switch
        {
            Projected => keys.Number(ProjectedSystem),
            Geographic => keys.Number(GeographicSystem),
            _ => null,
        };
        Epsg = system is > 0 and < UserDefined ? system : null;
        bool isDistorted = Epsg is { } number
            ? DistortingSystems.Contains(number)
            : keys.Number(Method) is { } method && DistortingMethods.Contains(method);
        _metres = keys.Number(LinearUnit) switch
        {
            _ when isDistorted => null,
            9001 => 1,
            9002 => 0.3048,
            9003 => 1200 / 3937.0,
            UserDefined => keys.Double(LinearUnitSize),
            null when IsInMetres(Epsg) => 1,
            _ => null,
        };
    }

    /// <summary>The number of the coordinate system in EPSG's register; null where it has none.</summary>
    public int? Epsg { get; }

    /// <summary>As one looks at the map, the picture is seen from behind.</summary>
    public bool IsMirrored => Determinant > 0;

    private double Determinant => _xColumn * _yRow - _xRow * _yColumn;

    /// <summary>The reference of a file; null where it has none, or none that is linear.</summary>
    public static GeoReference? Of(GeoTags tags)
    {
        double[]? matrix = null;
        if (tags.Transformation is { Length: 16 } whole)
        {
            matrix = whole;
        }
        else if (tags is { PixelScale.Length: >= 2, TiePoints.Length: >= 6 })
        {
            (double scaleX, double scaleY, double[] tie) = (tags.PixelScale[0], tags.PixelScale[1], tags.TiePoints);
            matrix = [scaleX, 0, 0, tie[3] - tie[0] * scaleX, 0, -scaleY, 0, tie[4] + tie[1] * scaleY];
        }
        if (matrix is null || !matrix.All(double.IsFinite))
            return null;
        var reference = new GeoReference(tags, matrix);
        return reference.Determinant != 0 && double.IsFinite(reference.Determinant) ? reference : null;
    }

    /// <summary>The place of a corner of pixels, in the map's coordinates.</summary>
    public (double X, double Y) Place(double column, double row) =>
        (_x + _xColumn * column + _xRow * row, _y + _yColumn * column + _yRow * row);

    /// <summary>
    /// The square metres of the earth that a pixel of a row shows; null where the coordinate system does not tell, or
    /// its metres are the earth's along a line alone. In degrees and on the web's Mercator map, which shows the north
    /// larger than it is, by the ellipsoid WGS 84.
    /// </summary>
    public double? PixelArea(int row)
    {
        bool isUpright = _xRow == 0 && _yColumn == 0;
        double top = _y + _yRow * row, bottom = top + _yRow;
        if (_model == Geographic && _angularUnit == Degree && isUpright)
            return Between(Radians(top), Radians(bottom), Radians(_xColumn));
        if (Epsg == WebMercator)
        {
            return isUpright
                ? Between(Latitude(top), Latitude(bottom), _xColumn / EarthAxis)
                : null;
        }
        return _model == Projected && _metres is { } metres ? Math.Abs(Determinant) * metres * metres : null;
    }

    private static double Radians(double degrees) => degrees * Math.PI / 180;

    private static double Latitude(double mercator) => Math.Atan(Math.Sinh(mercator / EarthAxis));

    /// <summary>The area between two latitudes and two longitudes so far apart.</summary>
    private static double Between(double latitude, double other, double longitudes)
    {
        double area = EarthAxis * EarthAxis / 2 * Math.Abs(longitudes * (ToEquator(latitude) - ToEquator(other)));
        return double.IsFinite(area) ? area : 0;
    }

    /// <summary>The area of the ellipsoid from the equator to a latitude, without its factor.</summary>
    private static double ToEquator(double latitude)
    {
        double square = Flattening * (2 - Flattening), eccentricity = Math.Sqrt(square);
        double sine = Math.Sin(Math.Clamp(latitude, -Math.PI / 2, Math.PI / 2));
        return (1 - square) * (sine / (1 - square * sine * sine)
            - Math.Log((1 - eccentricity * sine) / (1 + eccentricity * sine)) / (2 * eccentricity));
    }

    /// <summary>Systems of which everybody knows that they are in metres: UTM and the web's.</summary>
    private static bool IsInMetres(int? epsg) =>
        epsg is WebMercator or (>= 32601 and <= 32660) or (>= 32701 and <= 32760) or (>= 25828 and <= 25838);
}

/// <summary>The keys of a file's coordinate system.</summary>
internal sealed class GeoKeys(GeoTags tags)
{
    private const int PerKey = 4;

    /// <summary>A key's number; null where there is no such key.</summary>
    public int? Number(int key) => Find(key) is { } at && tags.Keys[at + 1] == 0 ? tags.Keys[at + 3] : null;

    /// <summary>A key's number of many digits; null where there is no such key.</summary>
    public double? Double(int key) =>
        Find(key) is { } at && tags.Keys[at + 1] == GeoTags.KeyDoublesTag
            && tags.Keys[at + 3] < tags.KeyDoubles.Length && double.IsFinite(tags.KeyDoubles[tags.Keys[at + 3]])
            ? tags.KeyDoubles[tags.Keys[at + 3]]
            : null;

    private int? Find(int key)
    {
        for (int at = PerKey; at + PerKey <= tags.Keys.Length; at += PerKey)
        {
            if (tags.Keys[at] == key)
                return at;
        }
        return null;
    }
}
