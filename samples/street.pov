// A street on a late afternoon, from the driver's seat: the picture that the samples segment. Drawn by the Atrous project
// itself, so that nobody else's rights are on it. Metres; x to the right, y up, z along the street. See render.sh.
#version 3.7;

global_settings {
  assumed_gamma 1.0
  radiosity { count 60 nearest_count 8 error_bound 0.6 recursion_limit 2 brightness 1.0 pretrace_end 0.02 }
}

#include "street_parts.inc"

camera { location <-1.6, 1.55, -6> look_at <0.25, 2.25, 30> right x * 16 / 9 angle 62 }

// ---- Light and sky -------------------------------------------------------------------------------------------------

light_source {
  <250, 420, -520> * 100 rgb <1.0, 0.86, 0.66> * 2.3 parallel point_at 0
}

sky_sphere {
  pigment {
    gradient y
    color_map { [0.0 rgb <0.75, 0.80, 0.86>] [0.12 rgb <0.55, 0.69, 0.88>] [0.6 rgb <0.16, 0.34, 0.68>] }
  }
  pigment {
    wrinkles turbulence 0.6 octaves 7 lambda 2.3 scale <0.55, 0.16, 0.55> translate <0.2, 0.1, 0>
    color_map {
      [0.00 rgbt <1, 0.98, 0.95, 0.0>] [0.28 rgbt <0.95, 0.93, 0.92, 0.25>] [0.50 rgbt <1, 1, 1, 1>] [1 rgbt <1, 1, 1, 1>]
    }
  }
}

fog { fog_type 1 distance 300 rgbt <0.66, 0.72, 0.80, 0.75> }

// ---- Ground --------------------------------------------------------------------------------------------------------

plane { y, -0.01 texture { pigment { rgb <0.25, 0.24, 0.2> } } }
box { <-4.5, -0.5, -30>, <4.5, 0, 260> texture { asphalt } }

#declare at_z = -30;
#while (at_z < 260)
  box { <-0.07, 0, at_z>, <0.07, 0.004, at_z + 3> texture { road_paint } }
  #declare at_z = at_z + 7;
#end
box { <-2.45, 0, -30>, <-2.37, 0.004, 260> texture { road_paint } }
box { <2.37, 0, -30>, <2.45, 0.004, 260> texture { road_paint } }
#declare at_x = -4.1;
#while (at_x < 4.2)
  box { <at_x, 0, 8.8>, <at_x + 0.45, 0.005, 11.8> texture { road_paint } }
  #declare at_x = at_x + 0.95;
#end
cylinder { <1.2, 0, 5>, <1.2, 0.006, 5>, 0.35 texture { iron } }

#declare side = -1;
#while (side < 2)
  box { <4.5 * side, -0.5, -30>, <4.68 * side, 0.15, 260> texture { kerb_stone } }
  box { <4.68 * side, -0.5, -30>, <8.2 * side, 0.14, 260> texture { paving } }
  #declare side = side + 2;
#end

// ---- Buildings: facades at |x| = 8.2 -------------------------------------------------------------------------------

// side, first z, width along the street, floors, bays, wall colour, awning colour (or black for none)
#macro Row(Side, Z, Width, Floors, Bays, Wall, Awning)
  object { Building(Width, Floors, Bays, Wall, Awning) #if (Side > 0) scale <-1, 1, 1> #end translate <8.2 * Side, 0.14, Z> }
#end
Row(-1, -16, 17.8, 4, 6, <0.60, 0.40, 0.30>, <0.10, 0.25, 0.16>)
Row(-1, 2, 12.8, 5, 4, <0.78, 0.70, 0.55>, <0.45, 0.06, 0.05>)
Row(-1, 15, 14.8, 4, 5, <0.62, 0.62, 0.60>, <0.05, 0.12, 0.35>)
Row(-1, 36, 15.8, 6, 5, <0.70, 0.52, 0.38>, <0, 0, 0>)
Row(-1, 52, 13.8, 4, 4, <0.82, 0.80, 0.74>, <0.10, 0.30, 0.35>)
Row(-1, 66, 19.8, 5, 6, <0.52, 0.33, 0.27>, <0.6, 0.45, 0.1>)
Row(-1, 86, 17.8, 7, 6, <0.66, 0.64, 0.58>, <0, 0, 0>)
Row(-1, 104, 40, 5, 12, <0.7, 0.6, 0.5>, <0, 0, 0>)
Row(1, -22, 15.8, 3, 5, <0.72, 0.66, 0.54>, <0.4, 0.05, 0.08>)
Row(1, -6, 13.8, 3, 4, <0.55, 0.36, 0.28>, <0.55, 0.42, 0.10>)
Row(1, 8, 12.8, 4, 4, <0.74, 0.72, 0.68>, <0.06, 0.20, 0.30>)
Row(1, 28, 14.8, 3, 5, <0.80, 0.66, 0.46>, <0.10, 0.28, 0.14>)
Row(1, 43, 12.8, 5, 4, <0.58, 0.55, 0.52>, <0.5, 0.1, 0.06>)
Row(1, 56, 17.8, 4, 6, <0.66, 0.42, 0.32>, <0, 0, 0>)
Row(1, 74, 16, 5, 5, <0.76, 0.72, 0.62>, <0.1, 0.2, 0.4>)
Row(1, 90, 40, 4, 12, <0.6, 0.5, 0.42>, <0, 0, 0>)
object { Building(40, 6, 12, <0.72, 0.68, 0.62>, <0, 0, 0>) rotate 90 * y translate <-20, 0, 200> }

// ---- Trees, poles, signs -------------------------------------------------------------------------------------------

object { Tree(1) scale 1.00 rotate 30 * y translate <-5.9, 0.14, 13.6> }
object { Tree(2) scale 1.12 rotate 90 * y translate <-5.9, 0.14, 27> }
object { Tree(3) scale 0.95 rotate 200 * y translate <-5.9, 0.14, 41> }
object { Tree(1) scale 1.10 rotate 250 * y translate <-5.9, 0.14, 57> }
object { Tree(2) scale 1.05 rotate 10 * y translate <-5.9, 0.14, 74> }
object { Tree(3) scale 1.00 rotate 160 * y translate <5.9, 0.14, 32> }
object { Tree(2) scale 1.08 rotate 300 * y translate <5.9, 0.14, 47> }
object { Tree(1) scale 1.00 rotate 70 * y translate <5.9, 0.14, 64> }
object { Tree(3) scale 1.15 rotate 120 * y translate <5.9, 0.14, 84> }
object { Tree(1) scale 1.6 translate <-9, 0, 185> }
object { Tree(2) scale 1.8 translate <2, 0, 190> }
object { Tree(3) scale 1.6 translate <11, 0, 184> }

object { lamp_post translate <5.05, 0.14, 14> }
object { lamp_post translate <5.05, 0.14, 40> }
object { lamp_post translate <5.05, 0.14, 70> }
object { lamp_post scale <-1, 1, 1> translate <-5.05, 0.14, 34> }
object { lamp_post scale <-1, 1, 1> translate <-5.05, 0.14, 66> }
object { traffic_light translate <4.95, 0.14, 12.4> }
object { traffic_light translate <-4.95, 0.14, 12.4> }
object { Sign(<0.02, 0.12, 0.5>) translate <5.0, 0.14, 18.6> }
object { litter_bin translate <5.3, 0.14, 9.6> }
object { bench rotate 90 * y translate <-7.6, 0.14, 10> }

// ---- Cars and people -----------------------------------------------------------------------------------------------

object { Car(<0.45, 0.03, 0.03>) translate <1.25, 0, 17> }
object { Car(<0.75, 0.76, 0.78>) rotate 180 * y translate <-1.35, 0, 36> }
object { Car(<0.03, 0.08, 0.30>) translate <3.45, 0, 22.5> }
object { Car(<0.10, 0.11, 0.12>) translate <3.45, 0, 28.8> }
object { Car(<0.72, 0.70, 0.62>) translate <3.45, 0, 35.2> }
object { Car(<0.16, 0.26, 0.18>) translate <3.45, 0, 47> }
object { Car(<0.60, 0.61, 0.63>) rotate 180 * y translate <-3.45, 0, 16> }
object { Car(<0.20, 0.03, 0.05>) rotate 180 * y translate <-3.45, 0, 22.2> }
object { Car(<0.05, 0.16, 0.34>) rotate 180 * y translate <-3.45, 0, 30.5> }
object { Car(<0.5, 0.5, 0.5>) rotate 180 * y translate <-3.45, 0, 50> }
object { Car(<0.3, 0.3, 0.32>) translate <1.3, 0, 62> }

object { Person(<0.55, 0.10, 0.08>, <0.05, 0.07, 0.16>, 26) rotate 90 * y translate <-0.9, 0, 10.2> }
object { Person(<0.10, 0.22, 0.40>, <0.10, 0.10, 0.11>, -22) rotate 180 * y translate <5.6, 0.14, 7.5> }
object { Person(<0.50, 0.48, 0.46>, <0.05, 0.06, 0.12>, 24) rotate -84 * y translate <2.6, 0, 9.7> }
object { Person(<0.60, 0.55, 0.42>, <0.20, 0.14, 0.09>, 20) rotate 8 * y translate <-5.7, 0.14, 8> }
object { Person(<0.12, 0.30, 0.16>, <0.06, 0.07, 0.10>, -18) rotate 4 * y translate <6.9, 0.14, 21> }
object { Person(<0.45, 0.30, 0.08>, <0.05, 0.05, 0.06>, 18) rotate 184 * y translate <-6.4, 0.14, 25> }
