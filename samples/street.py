"""One street, drawn by lot from a seed, as the text of a POV-Ray scene.

Metres; x to the right, y up, z along the street away from the camera. Cars keep to the left, as in Cambridge, whose streets
(CamVid) the default model learned from. What things look like stands in parts/*.inc.
"""

import math
import random

HEADER = """#version 3.7;
global_settings {{ assumed_gamma 1.0 max_trace_level 3 }}
#declare TreeSeed = {tree_seed};
#include "surfaces.inc"
#include "buildings.inc"
#include "trees.inc"
#include "furniture.inc"
#include "cars.inc"
#include "people.inc"
"""

BRICK = [(.30, .15, .10), (.26, .12, .09), (.42, .34, .22), (.36, .24, .16), (.22, .14, .11), (.46, .40, .29)]
PLASTER = [(.62, .58, .47), (.68, .67, .63), (.50, .44, .34), (.42, .40, .37), (.60, .46, .34), (.55, .60, .62), (.66, .56, .40), (.30, .29, .27)]
ROOF = [(.07, .07, .08), (.10, .09, .10), (.20, .09, .06), (.15, .08, .06), (.12, .11, .10)]
TRIM = [(.10, .02, .02), (.02, .08, .05), (.02, .04, .13), (.03, .03, .03), (.30, .04, .03), (.36, .26, .05), (.50, .48, .42), (.03, .14, .16), (.16, .08, .16)]
GREEN = [(.070, .125, .030), (.090, .140, .030), (.050, .095, .030), (.120, .150, .035), (.060, .090, .045), (.150, .120, .030)]
PAINT = [(.55, .56, .58), (.55, .56, .58), (.30, .31, .33), (.02, .02, .022), (.05, .055, .06), (.72, .72, .71), (.40, .02, .02), (.30, .015, .03),
         (.02, .04, .22), (.03, .10, .30), (.02, .09, .06), (.20, .24, .27), (.32, .28, .20), (.50, .38, .04), (.08, .13, .17)]
CLOTH = [(.03, .03, .035), (.05, .055, .07), (.02, .03, .09), (.12, .12, .12), (.30, .29, .27), (.35, .04, .04), (.04, .12, .07), (.05, .14, .35),
         (.45, .34, .22), (.55, .54, .52), (.14, .09, .05), (.40, .15, .30), (.55, .45, .05)]
LEGS = [(.02, .025, .06), (.05, .07, .14), (.02, .02, .02), (.10, .08, .06), (.16, .15, .14), (.28, .24, .17)]
SKIN = [(.56, .36, .27), (.50, .31, .22), (.30, .17, .11), (.14, .08, .055), (.60, .42, .33)]
HAIR = [(.015, .012, .01), (.05, .03, .02), (.16, .10, .05), (.30, .28, .26), (.35, .24, .11)]
METAL = [(.08, .09, .085), (.30, .31, .32), (.02, .05, .035), (.16, .165, .17), (.03, .03, .03)]


def vector(colour):
    return "<%s>" % ", ".join("%.4f" % part for part in colour)


class Street:
    """The street of a seed. `text()` is its scene."""

    def __init__(self, seed, width, height):
        self.dice = random.Random(seed)
        self.aspect = width / height
        self.lines = []
        d = self.dice
        self.far = d.uniform(70, 190)
        self.half = d.choice([3.3, 3.6, 4.2, 4.8, 5.6])
        self.parking = {side: self.half > 3.4 and d.random() < 0.55 for side in (-1, 1)}
        self.edge = {side: self.half + (2.1 if self.parking[side] else 0) for side in (-1, 1)}
        self.walk = {side: d.uniform(1.8, 4.2) for side in (-1, 1)}
        self.bare = d.random() < 0.3
        self.greens = d.sample(GREEN, 3)

    # ---- Helpers for the text -----------------------------------------------------------------------------------------

    def tint(self, palette, spread=0.12):
        base, light = self.dice.choice(palette), self.dice.uniform(0.8, 1.2)
        return tuple(min(1, part * light * self.dice.uniform(1 - spread, 1 + spread)) for part in base)

    def put(self, what, x, z, y=0.0, turn=0.0, mirror=False, size=1.0):
        flip = "scale <-1, 1, 1> " if mirror else ""
        grow = f"scale {size:.3f} " if size != 1 else ""
        self.lines.append(f"object {{ {what} {flip}{grow}rotate {turn:.2f} * y translate <{x:.3f}, {y:.3f}, {z:.3f}> }}")

    def box(self, x0, y0, z0, x1, y1, z1, surface):
        self.lines.append(f"box {{ <{min(x0, x1):.3f}, {y0:.3f}, {z0:.3f}>, <{max(x0, x1):.3f}, {y1:.3f}, {z1:.3f}> {surface} }}")

    # ---- Light --------------------------------------------------------------------------------------------------------

    def light(self):
        """The sun and the sky. The light of the sky comes from five directions, which gives soft shadows under everything."""
        d = self.dice
        mood = d.choices(["sunny", "hazy", "overcast", "evening"], [4, 3, 3, 2])[0]
        turn, rise = d.uniform(0, 360), {"sunny": d.uniform(28, 60), "hazy": d.uniform(15, 45), "overcast": 60, "evening": d.uniform(8, 18)}[mood]
        sun, sky = {
            "sunny": ((1.75, 1.62, 1.40), (.20, .235, .30)), "hazy": ((1.1, 1.02, .88), (.28, .30, .33)),
            "overcast": ((.14, .14, .14), (.30, .31, .33)), "evening": ((1.35, 1.0, .66), (.17, .19, .25))}[mood]
        gain = d.uniform(0.95, 1.5)
        self.light_of((turn, rise), tuple(gain * part for part in sun))
        for way in ((turn + 20, 84), (turn + 50, 38), (turn + 140, 32), (turn + 230, 35), (turn + 310, 40)):
            self.light_of(way, tuple(gain * part * (1.25 if way[1] > 80 else 0.62) for part in sky))
        low, high = {
            "sunny": ((.62, .74, .92), (.12, .28, .62)), "hazy": ((1.0, 1.0, 1.0), (.50, .66, .88)),
            "overcast": ((.95, .96, .98), (.62, .65, .70)), "evening": ((.95, .80, .62), (.25, .38, .60))}[mood]
        over = d.uniform(1.0, 1.5) * gain
        low, high = (vector(tuple(over * part for part in colour)) for colour in (low, high))
        cover = {"sunny": d.uniform(0.2, 0.5), "hazy": d.uniform(0.3, 0.6), "overcast": 0.85, "evening": d.uniform(0.3, 0.7)}[mood]
        grey = {"overcast": 0.72, "evening": 0.62}.get(mood, 0.95) * over
        self.lines.append(f"""sky_sphere {{
  pigment {{ gradient y color_map {{ [0 rgb {low}] [0.55 rgb {high}] }} }}
  pigment {{
    wrinkles turbulence 0.65 octaves 7 lambda 2.3 scale <{d.uniform(.4, .8):.3f}, {d.uniform(.14, .25):.3f}, {d.uniform(.4, .8):.3f}>
    rotate {d.uniform(0, 360):.1f} * y translate {d.uniform(0, 50):.2f}
    color_map {{ [0 rgbt <{grey * 1.2:.3f}, {grey * 1.2:.3f}, {grey * 1.2:.3f}, 0>] [{cover * 0.6:.3f} rgbt <{grey:.3f}, {grey:.3f}, {grey * 1.03:.3f}, 0.25>]
      [{cover:.3f} rgbt <1, 1, 1, 1>] [1 rgbt <1, 1, 1, 1>] }}
  }}
}}""")
        far = {"sunny": 1200, "hazy": 420, "overcast": 700, "evening": 800}[mood] * d.uniform(0.7, 1.5)
        self.lines.append(f"fog {{ fog_type 1 distance {far:.0f} rgbt {vector(tuple(gain * part for part in (.66, .70, .76)) + (.35,))} }}")

    def light_of(self, way, colour):
        turn, rise = (math.radians(angle) for angle in way)
        place = (math.cos(rise) * math.sin(turn), math.sin(rise), math.cos(rise) * math.cos(turn))
        self.lines.append(f"light_source {{ {vector(place)} * 1e5 rgb {vector(colour)} parallel point_at 0 }}")

    def camera(self):
        d = self.dice
        if d.random() < 0.82:
            x, y, aim = -self.half / 2 + d.uniform(-0.5, 0.5), d.uniform(1.15, 1.9), d.uniform(-4, 6)
        else:
            side = d.choice([-1, 1])
            x, y, aim = side * (self.edge[side] + 0.9), d.uniform(1.5, 1.9), -side * d.uniform(4, 20)
        self.eye = x
        pitch = d.uniform(-3.5, 3.5)
        target = (x + 30 * math.tan(math.radians(aim)), y + 30 * math.tan(math.radians(pitch)), 30)
        self.lines.append(f"camera {{ location <{x:.3f}, {y:.3f}, 0> right x * {self.aspect:.5f} look_at {vector(target)} angle {d.uniform(46, 68):.2f} }}")

    # ---- Ground -------------------------------------------------------------------------------------------------------

    def ground(self):
        d = self.dice
        grey = d.uniform(.075, .17)
        road = f"Asphalt(ROAD, {vector((grey * d.uniform(.97, 1.05), grey, grey * d.uniform(.95, 1.05)))})"
        self.lines.append(f"plane {{ y, -0.02 Matt(PAVEMENT, <.16, .15, .13>) }}")
        self.box(-self.edge[-1], -0.5, -30, self.edge[1], 0, 330, road)
        paint = f"RoadPaint({vector((.62, .61, .58))})"
        style = d.choice(["dashes", "dashes", "long dashes", "none"])
        if style != "none":
            length, gap = (2, 4) if style == "dashes" else (4, 2)
            z = -10 + d.uniform(0, 5)
            while z < 200:
                self.box(-0.06, 0, z, 0.06, 0.004, z + length, paint)
                z += length + gap
        for side in (-1, 1):
            self.pavement(side)
            if not self.parking[side] and d.random() < 0.5:
                for off in (0.25, 0.45):
                    self.box(side * (self.edge[side] - off), 0, -30, side * (self.edge[side] - off - 0.1), 0.004, 200, f"RoadPaint({vector((.60, .45, .06))})")
            elif self.parking[side]:
                for k in range(35):
                    self.box(side * (self.half - 0.05), 0, -10 + k * 5.6, side * (self.half + 0.05), 0.004, -9 + k * 5.6, paint)
        self.zebra = d.uniform(9, 28) if d.random() < 0.35 else None
        if self.zebra:
            x = -self.edge[-1] + 0.35
            while x < self.edge[1] - 0.5:
                self.box(x, 0, self.zebra, x + 0.5, 0.0055, self.zebra + 3.2, paint)
                x += 1.0
        for _ in range(d.randrange(5)):
            x, z = d.uniform(-self.half + .6, self.half - .6), d.uniform(4, 40)
            self.lines.append(f"cylinder {{ <{x:.2f}, 0, {z:.2f}>, <{x:.2f}, 0.006, {z:.2f}>, 0.33 Matt(ROAD, <.055, .05, .045>) }}")
        for _ in range(d.randrange(7)):
            x, z, tone = d.uniform(-self.half, self.half - 1.5), d.uniform(-2, 50), grey * d.choice([.6, .75, 1.35])
            self.box(x, 0, z, x + d.uniform(.6, 2), 0.003, z + d.uniform(1.5, 9), f"Asphalt(ROAD, {vector((tone,) * 3)})")
        for _ in range(3):
            x, z, t = d.uniform(-self.half, self.half), d.uniform(3, 30), d.uniform(.03, .05)
            self.lines.append(f"cylinder {{ 0, 0.0035 * y, 1 scale <{d.uniform(.15, .6):.2f}, 1, {d.uniform(.3, 1.2):.2f}> translate <{x:.2f}, 0, {z:.2f}> Matt(ROAD, <{t:.3f}, {t:.3f}, {t:.3f}>) }}")

    def pavement(self, side):
        d = self.dice
        edge, walk = self.edge[side], self.walk[side]
        self.box(side * edge, -0.5, -30, side * (edge + 0.16), 0.13, 330, f"Stone(PAVEMENT, {vector(self.tint([(.40, .39, .37), (.30, .29, .27)]))})")
        surface = d.choice([
            f"Slabs(PAVEMENT, {vector(self.tint([(.34, .33, .31), (.42, .38, .32), (.28, .27, .26)]))}, {d.choice([.3, .6, .75])})",
            f"Slabs(PAVEMENT, {vector(self.tint([(.30, .20, .16), (.34, .33, .31)]))}, .2)",
            f"Asphalt(PAVEMENT, {vector(self.tint([(.20, .195, .19), (.14, .135, .13), (.22, .18, .16)]))})"])
        self.box(side * (edge + 0.16), -0.5, -30, side * (edge + walk + 9), 0.12, 330, surface)

    # ---- Sides --------------------------------------------------------------------------------------------------------

    def house(self, width, shop):
        d = self.dice
        brick = d.random() < 0.55
        wall = self.tint(BRICK if brick else PLASTER)
        bays = max(2, round(width / d.uniform(2.3, 3.2)))
        return (f"House({width:.2f}, {d.choice([2, 2, 3, 3, 4])}, {bays}, {int(brick)}, {vector(wall)}, {d.choice([0, 1, 1, 1, 2])}, {vector(self.tint(ROOF))}, "
                f"{int(shop)}, {vector(self.tint(TRIM))}, {vector(self.tint([(.65, .64, .60), (.30, .28, .25), (.5, .48, .42)]))}, {d.randrange(9999)})")

    def barrier(self, length):
        d = self.dice
        return d.choice([
            f"Railing({length:.2f}, {d.uniform(1.0, 1.9):.2f}, {d.uniform(.11, .17):.3f}, {vector(self.tint(METAL))})",
            f"BoardFence({length:.2f}, {d.uniform(1.2, 2.0):.2f}, {vector(self.tint([(.22, .14, .08), (.30, .24, .17), (.16, .13, .10)]))})",
            f"GardenWall({length:.2f}, {d.uniform(.8, 2.0):.2f}, {vector(self.tint(BRICK))})",
            f"Hedge({length:.2f}, {d.uniform(1.0, 1.8):.2f}, {vector(self.tint(self.greens))})"])

    def tree(self):
        d = self.dice
        green = vector(self.tint(self.greens))
        if self.bare and d.random() < 0.7:
            return f"BareTree({d.randrange(4)})", d.uniform(.8, 1.3)
        return d.choice([
            f"RoundTree({green}, {d.uniform(1.6, 3.0):.2f})", f"RaggedTree({green}, {d.uniform(1.7, 2.8):.2f})",
            f"TallTree({green}, {d.uniform(1.0, 1.9):.2f})"]), d.uniform(.9, 1.25)

    def side(self, side):
        """Fills one side of the street, from behind the camera to the far end, with houses, gardens, parks and gaps."""
        d = self.dice
        facade = self.edge[side] + self.walk[side]
        kinds = d.choices(["terrace", "gardens", "park", "office"], [5, 4, 2.5, 1.5], k=2)
        z = -14.0
        while z < self.far:
            kind = d.choice(kinds) if d.random() < 0.85 else d.choice(["terrace", "park", "gap"])
            width = d.uniform(6, 16) if kind in ("terrace", "gardens") else d.uniform(12, 26) if kind != "gap" else d.uniform(3, 7)
            back = {"gardens": d.uniform(2.5, 6), "office": d.uniform(0, 3)}.get(kind, 0)
            if kind == "office":
                what = f"Office({width:.2f}, {d.randrange(3, 7)}, {vector(self.tint(PLASTER))}, {vector(self.tint([(.05, .08, .09), (.06, .06, .06), (.10, .12, .13)]))}, {d.randrange(9999)})"
            elif kind in ("terrace", "gardens"):
                what = self.house(width, kind == "terrace" and d.random() < 0.6)
            if kind in ("terrace", "gardens", "office"):
                self.put(what, side * (facade + back), z, 0.12, mirror=side > 0)
            if kind in ("gardens", "park"):
                self.put(self.barrier(width - (1.2 if kind == "gardens" else 0)), side * facade, z, 0.12, mirror=side > 0)
            if kind == "gardens":
                for _ in range(d.randrange(4)):
                    self.put(f"Bush({vector(self.tint(self.greens))}, {d.uniform(.5, 1.1):.2f})", side * (facade + d.uniform(.9, back)), z + d.uniform(1, width - 1), 0.12)
                if d.random() < 0.3:
                    self.put(self.tree()[0], side * (facade + back * .6), z + d.uniform(2, width - 2), 0.1, d.uniform(0, 360), size=d.uniform(.6, .8))
            if kind == "park":
                self.box(side * (facade + 0.3), 0, z, side * (facade + 40), 0.14, z + width, f"Matt(UNLABELLED, {vector(self.tint([(.07, .11, .03), (.10, .12, .04)]))})")
                for row in (2.5, 6.5, 12):
                    at = z + d.uniform(1, 4)
                    while at < z + width:
                        what, size = self.tree()
                        self.put(what, side * (facade + row + d.uniform(-1, 1)), at, 0.1, d.uniform(0, 360), size=size)
                        at += d.uniform(3.0, 7)
            z += width + (d.uniform(1.5, 4) if kind == "gardens" else 0)

    def end(self):
        """Closes the view: houses or trees across the far end."""
        d = self.dice
        if d.random() < 0.55:
            x = -45.0
            while x < 45:
                width = d.uniform(8, 16)
                self.put(self.house(width, d.random() < 0.4), x, self.far + 22, 0.12, 90)
                x += width
        for _ in range(d.randrange(6, 26)):
            what, size = self.tree()
            self.put(what, d.uniform(-38, 38), self.far + d.uniform(8, 20), 0, d.uniform(0, 360), size=size * d.uniform(1, 1.6))
        self.box(-60, -0.1, self.far + 5, 60, 0.13, self.far + 60, "Matt(PAVEMENT, <.25, .24, .22>)")

    # ---- What stands and what moves -------------------------------------------------------------------------------------

    def furniture(self):
        d = self.dice
        lamp = f"LampPost({d.uniform(5.5, 9):.2f}, -{d.uniform(.8, 2):.2f}, {vector(self.tint(METAL))})"
        for side in (-1, 1):
            kerb, walk = self.edge[side], self.walk[side]
            z, step = d.uniform(6, 20), d.uniform(18, 35)
            while z < self.far:
                self.put(lamp, side * (kerb + 0.45), z, 0.12, mirror=side < 0)
                z += step
            if walk > 2.6 and d.random() < 0.45:
                z, step = d.uniform(7, 14), d.uniform(8, 16)
                while z < self.far:
                    what, size = self.tree()
                    self.put(what, side * (kerb + 0.9), z, 0.12, d.uniform(0, 360), size=size * 0.9)
                    z += step * d.uniform(.8, 1.3)
            if d.random() < 0.25:
                z, step = d.uniform(4, 10), d.uniform(1.4, 2.2)
                for k in range(d.randrange(4, 14)):
                    self.put(f"Bollard({vector(METAL[4])})", side * (kerb + 0.4), z + k * step, 0.12)
            if d.random() < 0.3:
                self.put(f"Railing({d.uniform(5, 14):.2f}, 1.1, 0.12, {vector(self.tint(METAL))})", side * (kerb + 0.35), d.uniform(5, 25), 0.12)
            if d.random() < 0.2:
                for k in range(4):
                    self.put("TelegraphPole()", side * (kerb + walk - 0.3), 9 + 28 * k, 0.12, d.uniform(-8, 8))
            for _ in range(d.randrange(1, 5)):
                blue, red, white = (.02, .09, .35), (.55, .025, .025), (.75, .75, .75)
                sign = d.choice([
                    f"RoundSign({vector(red)}, {vector(white)}, <.02, .02, .02>)", f"RoundSign({vector(white)}, {vector(blue)}, {vector(white)})",
                    f"RoundSign({vector(white)}, {vector(red)}, {vector(white)})", "TriangleSign()",
                    f"DirectionSign({d.uniform(1, 2.2):.2f}, {d.uniform(.6, 1.3):.2f}, {vector(d.choice([blue, (.02, .14, .07), white]))})"])
                self.put(sign, side * (kerb + d.uniform(.45, .8)), d.uniform(7, 45), 0.12, d.choice([0, 0, 0, 180]) + d.uniform(-15, 15), size=d.uniform(.9, 1.15))
            if d.random() < 0.4:
                self.put(d.choice([f"LitterBin({vector(self.tint([(.03, .06, .04), (.03, .03, .03), (.25, .03, .02)]))})", "Bench()"]),
                         side * (kerb + walk - 0.7), d.uniform(6, 25), 0.12, -90 * side)
        if self.zebra or d.random() < 0.3:
            z, state = (self.zebra or d.uniform(12, 30)) - 0.5, d.randrange(3)
            for side in (-1, 1):
                self.put(f"TrafficLight({state})", side * (self.edge[side] + 0.4), z, 0.12)

    def car(self, parked):
        d = self.dice
        if not parked and d.random() < 0.10:
            return f"Bus({vector(d.choice([(.42, .02, .02), (.50, .50, .48), (.03, .10, .25)]))}, {d.choice([1, 2])})", 11.5
        kind = d.choices(["Hatchback", "Saloon", "Estate", "OffRoader", "Van"], [4, 3, 2, 1.5, 1.2])[0]
        paint = self.tint([(.66, .66, .65), (.66, .66, .65), (.40, .03, .02), (.02, .05, .2)] if kind == "Van" else PAINT, 0.05)
        return f"{kind}({vector(paint)})", 5.4

    def traffic(self):
        d = self.dice
        for side in (-1, 1):
            if self.parking[side]:
                z = d.uniform(-3, 9)
                while z < self.far:
                    what, _ = self.car(True)
                    if d.random() < 0.75:
                        self.put(what, side * (self.edge[side] - 1.1 + d.uniform(-.12, .08)), z + 2.6, 0, (0 if side < 0 else 180) + d.uniform(-2, 2) + d.choice([0, 0, 0, 180]))
                    z += d.uniform(5.4, 6.4)
            z = d.uniform(9, 26) if side < 0 else d.uniform(6, 30)
            while z < self.far:
                what, length = self.car(False)
                if not (self.zebra and abs(z - self.zebra - 1.5) < length / 2 + 2):
                    self.put(what, side * self.half * 0.5 + d.uniform(-.35, .35), z + length / 2, 0, (0 if side < 0 else 180) + d.uniform(-3, 3))
                z += length + d.expovariate(1 / 14)

    def person(self):
        d = self.dice
        return (f"Person({vector(self.tint(CLOTH))}, {vector(self.tint(LEGS))}, {vector(self.tint(SKIN, .05))}, {vector(self.tint(HAIR))}, "
                f"{d.choice([-1, 1]) * d.uniform(4, 28):.1f}, {int(d.random() < .3)}, {int(d.random() < .3)})")

    def people(self):
        d = self.dice
        for _ in range(d.randrange(3, 16)):
            side, z, away = d.choice([-1, 1]), 4 + d.expovariate(1 / 14), d.choice([0, 180])
            x = side * (self.edge[side] + d.uniform(.9, max(1.0, self.walk[side] - .4)))
            for k in range(d.choice([1, 1, 1, 2, 2, 3])):
                if z + k > 4:
                    self.put(self.person(), x + side * k * 0.1, z + k * 0.75, 0.12, away + d.uniform(-20, 20), size=d.uniform(.9, 1.06))
        for _ in range(d.choice([0, 0, 1, 2, 3] if self.zebra else [0, 0, 0, 1])):
            z = self.zebra + d.uniform(.4, 2.8) if self.zebra else d.uniform(14, 40)
            self.put(self.person(), d.uniform(-self.half, self.half), z, 0, d.choice([-90, 90]) + d.uniform(-15, 15), size=d.uniform(.92, 1.05))
        for _ in range(d.choice([0, 1, 1, 1, 2, 3])):
            side = d.choice([-1, -1, 1])
            what = (f"Cyclist({vector(self.tint(PAINT))}, {vector(self.tint(CLOTH))}, {vector(self.tint(LEGS))}, {vector(self.tint(SKIN, .05))}, "
                    f"{vector(self.tint(HAIR))}, {d.uniform(-1, 1):.2f})")
            turn = (0 if side < 0 else 180) + d.uniform(-8, 8)
            self.put(what, side * (self.half - d.uniform(.35, .8)), 6 + d.expovariate(1 / 10), 0, turn + (d.choice([-90, 90]) if d.random() < .2 else 0))

    def text(self):
        self.camera()
        self.lines.append("#if (!Labels)")
        self.light()
        self.lines.append("#end")
        self.ground()
        for side in (-1, 1):
            self.side(side)
        self.end()
        self.furniture()
        self.traffic()
        self.people()
        return HEADER.format(tree_seed=self.dice.randrange(9999)) + "\n".join(self.lines) + "\n"
