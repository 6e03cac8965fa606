"""One street, drawn by lot from a seed, as the text of a POV-Ray scene.

Metres; x to the right, y up, z along the street away from the camera. Cars keep to the left, as in Cambridge, whose streets
(CamVid) the default model learned from. What things look like stands in parts/*.inc.
"""

import math
import random

from light import light
from palette import (BINS, BOARDS, BRICK, CLOTH, FRAME, GREEN, HAIR, KERB, LAWN, LEGS, METAL, PAINT, PANES, PLASTER, ROOF, SETTS,
                     SKIN, SLABS, TARMAC, TRIM, VANS, YELLOW, vector)

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


class Street:
    """The street of a seed. `text()` is its scene."""

    moods = (4, 3, 3, 2)
    plaster = PLASTER
    cloth = CLOTH
    ahead = 0  # metres that the camera has gone along the street

    def __init__(self, seed, width, height):
        self.dice = random.Random(seed)
        self.aspect = width / height
        self.lines = []
        self.mouths = {-1: [], 1: []}
        self.riders = []
        d = self.dice
        self.far = d.uniform(70, 190)
        self.half = d.choice([3.3, 3.6, 4.2, 4.8, 5.6])
        self.parking = {side: self.half > 3.4 and d.random() < 0.55 for side in (-1, 1)}
        self.edge = {side: self.half + (2.1 if self.parking[side] else 0) for side in (-1, 1)}
        self.walk = {side: d.uniform(1.8, 4.2) for side in (-1, 1)}
        self.bare = d.random() < 0.3
        self.crossing = (d.uniform(14, 45), d.uniform(7, 11)) if d.random() < 0.4 else None
        self.greens = d.sample(GREEN, 3)

    # ---- Words of the scene -----------------------------------------------------------------------------------------------

    def tint(self, palette, spread=0.12):
        base, bright = self.dice.choice(palette), self.dice.uniform(0.8, 1.2)
        return tuple(min(1, part * bright * self.dice.uniform(1 - spread, 1 + spread)) for part in base)

    def put(self, what, x, z, y=0.0, turn=0.0, mirror=False, size=1.0):
        flip = "scale <-1, 1, 1> " if mirror else ""
        grow = f"scale {size:.3f} " if size != 1 else ""
        self.lines.append(f"object {{ {what} {flip}{grow}rotate {turn:.2f} * y translate <{x:.3f}, {y:.3f}, {z:.3f}> }}")

    def box(self, x0, y0, z0, x1, y1, z1, surface):
        self.lines.append(f"box {{ <{min(x0, x1):.3f}, {y0:.3f}, {z0:.3f}>, <{max(x0, x1):.3f}, {y1:.3f}, {z1:.3f}> {surface} }}")

    def camera(self):
        d = self.dice
        if d.random() < 0.82:
            x, y = -self.half / 2 + d.uniform(-0.5, 0.5), d.uniform(1.15, 1.9)
            aim = d.choice([d.uniform(-4, 6), d.uniform(-4, 6), d.uniform(-14, 18)])
        else:
            side = d.choice([-1, 1])
            x, y, aim = side * (self.edge[side] + 0.9), d.uniform(1.5, 1.9), -side * d.uniform(4, 20)
        pitch = d.uniform(-3.5, 3.5)
        target = (x + 30 * math.tan(math.radians(aim)), y + 30 * math.tan(math.radians(pitch)), 30 + self.ahead)
        self.lines.append(f"camera {{ location <{x:.3f}, {y:.3f}, {self.ahead:g}> right x * {self.aspect:.5f} look_at {vector(target)} "
                          f"angle {d.uniform(46, 68):.2f} }}")

    # ---- Ground -------------------------------------------------------------------------------------------------------

    def ground(self):
        d = self.dice
        grey = d.uniform(.075, .17)
        road = f"Asphalt(ROAD, {vector((grey * d.uniform(.97, 1.05), grey, grey * d.uniform(.95, 1.05)))})"
        self.lines.append(f"plane {{ y, -0.02 Matt(PAVEMENT, <.16, .15, .13>) }}")
        self.box(-self.edge[-1], -0.5, -30, self.edge[1], 0, 330, road)
        paint = f"RoadPaint({vector((.62, .61, .58))})"
        yellow = f"RoadPaint({vector(YELLOW)})"
        style = d.choice(["dashes", "dashes", "long dashes", "none"])
        if style != "none":
            length, gap = (2, 4) if style == "dashes" else (4, 2)
            z = -10 + d.uniform(0, 5)
            while z < 200:
                self.box(-0.06, 0, z, 0.06, 0.004, z + length, paint)
                z += length + gap
        for side in (-1, 1):
            if not self.parking[side] and d.random() < 0.5:
                for off in (0.25, 0.45):
                    self.box(side * (self.edge[side] - off), 0, -30, side * (self.edge[side] - off - 0.1), 0.004, 200, yellow)
            elif self.parking[side]:
                for k in range(35):
                    self.box(side * (self.half - 0.05), 0, -10 + k * 5.6, side * (self.half + 0.05), 0.004, -9 + k * 5.6, paint)
        self.road = road
        if self.crossing:
            self.junction(paint)
        self.zebra = (self.crossing[0] - 5.5 if self.crossing else d.uniform(9, 28)) if d.random() < 0.4 else None
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

    def junction(self, paint):
        """The road that crosses: its stop lines, and perhaps a yellow box."""
        z, width = self.crossing
        self.box(-self.edge[-1], 0, z - 1.3, 0, 0.0045, z - 1.0, paint)
        self.box(0, 0, z + width + 1.0, self.edge[1], 0.0045, z + width + 1.3, paint)
        if self.dice.random() < 0.5:
            yellow = f"RoadPaint({vector(YELLOW)})"
            for k in range(6):
                for turn in (-40, 40):
                    self.lines.append(
                        f"intersection {{ box {{ <-30, 0, -0.06>, <30, 0.005, 0.06> rotate {turn} * y "
                        f"translate <{-7 + 2.8 * k:.2f}, 0, {z + width / 2:.2f}> }} "
                        f"box {{ <{-self.half:.2f}, -1, {z:.2f}>, <{self.half:.2f}, 1, {z + width:.2f}> }} {yellow} }}")

    def surfaces(self, side):
        """What kerb and pavement of one side are made of."""
        d = self.dice
        kerb = f"Stone(PAVEMENT, {vector(self.tint(KERB))})"
        paving = d.choice([
            f"Slabs(PAVEMENT, {vector(self.tint(SLABS))}, {d.choice([.3, .6, .75])})",
            f"Slabs(PAVEMENT, {vector(self.tint(SETTS))}, .2)",
            f"Asphalt(PAVEMENT, {vector(self.tint(TARMAC))})"])
        return kerb, paving

    def pavement(self, side, start, stop, surfaces):
        edge = self.edge[side]
        self.box(side * edge, -0.5, start, side * (edge + 0.16), 0.13, stop, surfaces[0])
        self.box(side * (edge + 0.16), -0.5, start, side * (edge + self.walk[side] + 9), 0.12, stop, surfaces[1])

    def side_street(self, side, start, stop):
        """The mouth of a side street, cars that wait in it, and perhaps a house where it ends."""
        d = self.dice
        self.mouths[side].append((start, stop))
        edge = self.edge[side]
        self.box(side * edge, -0.5, start, side * (edge + 70), 0, stop, self.road)
        for k in range(d.randrange(3)):
            what, _ = self.car(True)
            self.put(what, side * (edge + self.walk[side] + 5 + 7 * k), start + d.choice([1.6, 1.6, stop - start - 1.6]), 0, d.choice([90, -90]))
        if d.random() < 0.6:
            self.put(self.house(stop - start + 8, False), side * (edge + 55), start - 4, 0.12, mirror=side > 0)

    # ---- Sides --------------------------------------------------------------------------------------------------------

    def house(self, width, shop):
        d = self.dice
        brick = d.random() < 0.55
        wall = self.tint(BRICK if brick else self.plaster)
        bays = max(2, round(width / d.uniform(2.3, 3.2)))
        return (f"House({width:.2f}, {d.choice([2, 2, 3, 3, 4])}, {bays}, {int(brick)}, {vector(wall)}, {d.choice([0, 1, 1, 1, 2])}, "
                f"{vector(self.tint(ROOF))}, {int(shop)}, {vector(self.tint(TRIM))}, {vector(self.tint(FRAME))}, {d.randrange(9999)})")

    def barrier(self, length):
        d = self.dice
        return d.choice([
            f"Railing({length:.2f}, {d.uniform(1.0, 1.9):.2f}, {d.uniform(.11, .17):.3f}, {vector(self.tint(METAL))})",
            f"BoardFence({length:.2f}, {d.uniform(1.2, 2.0):.2f}, {vector(self.tint(BOARDS))})",
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
        surfaces = self.surfaces(side)
        kinds = d.choices(["terrace", "gardens", "park", "office"], [5, 4, 3, 1.5], k=2)
        z, paved = -14.0, -30.0
        gaps = [self.crossing] if self.crossing else []
        if d.random() < 0.5:
            gaps.append((d.uniform(60, 110) if self.crossing else d.uniform(8, 60), d.uniform(5, 8)))
        while z < self.far:
            if gaps and z + 9 > gaps[0][0]:
                start, stop = gaps[0][0], gaps[0][0] + gaps[0][1]
                gaps.pop(0)
                self.pavement(side, paved, start, surfaces)
                self.side_street(side, start, stop)
                z, paved = stop + 1.5, stop
                continue
            room = (gaps[0][0] - 1.5 if gaps else 999) - z
            kind = d.choice(kinds) if d.random() < 0.85 else d.choice(["terrace", "park"])
            width = min(room, d.uniform(6, 16) if kind in ("terrace", "gardens") else d.uniform(12, 26))
            back = {"gardens": d.uniform(2.5, 6), "office": d.uniform(0, 3)}.get(kind, 0)
            if kind == "office":
                what = (f"Office({width:.2f}, {d.randrange(3, 7)}, {vector(self.tint(self.plaster))}, {vector(self.tint(PANES))}, "
                        f"{d.randrange(9999)})")
            elif kind in ("terrace", "gardens"):
                what = self.house(width, kind == "terrace" and d.random() < 0.6)
            if kind in ("terrace", "gardens", "office"):
                self.put(what, side * (facade + back), z, 0.12, mirror=side > 0)
            if kind in ("gardens", "park"):
                self.put(self.barrier(width - (1.2 if kind == "gardens" else 0)), side * facade, z, 0.12, mirror=side > 0)
            if kind == "gardens":
                for _ in range(d.randrange(4)):
                    bush = f"Bush({vector(self.tint(self.greens))}, {d.uniform(.5, 1.1):.2f})"
                    self.put(bush, side * (facade + d.uniform(.9, back)), z + d.uniform(1, width - 1), 0.12)
                if d.random() < 0.3:
                    what, _ = self.tree()
                    self.put(what, side * (facade + back * .6), z + d.uniform(2, width - 2), 0.1, d.uniform(0, 360), size=d.uniform(.6, .8))
            if kind == "park":
                self.box(side * (facade + 0.3), 0, z, side * (facade + 40), 0.14, z + width, f"Matt(UNLABELLED, {vector(self.tint(LAWN))})")
                for row in (2.5, 7, 12):
                    at = z + d.uniform(1, 4)
                    while at < z + width:
                        what, size = self.tree()
                        self.put(what, side * (facade + row + d.uniform(-1, 1)), at, 0.1, d.uniform(0, 360), size=size)
                        at += d.uniform(3.0, 7)
            z += width + (d.uniform(1.5, 4) if kind == "gardens" else 0)
        self.pavement(side, paved, 330, surfaces)
        self.backdrop(side, facade)

    def backdrop(self, side, facade):
        """What shows over gardens and through gaps: the trees and houses of the next street."""
        d = self.dice
        z = -5.0
        while z < self.far + 20:
            if d.random() < 0.35:
                self.put(self.house(d.uniform(8, 14), False), side * (facade + d.uniform(28, 36)), z, 0, mirror=side > 0)
            else:
                what, size = self.tree()
                self.put(what, side * (facade + d.uniform(18, 30)), z, 0, d.uniform(0, 360), size=size * d.uniform(1.0, 1.6))
            z += d.uniform(6, 14)

    def end(self):
        """Closes the view: houses or trees across the far end."""
        d = self.dice
        if d.random() < 0.55:
            x = -45.0
            while x < 45:
                width = d.uniform(8, 16)
                self.put(self.house(width, d.random() < 0.4), x, self.far + 22, 0.12, 90)
                x += width
        for _ in range(d.randrange(14, 30)):
            what, size = self.tree()
            self.put(what, d.uniform(-38, 38), self.far + d.uniform(8, 20), 0, d.uniform(0, 360), size=size * d.uniform(1, 1.6))
        self.box(-60, -0.1, self.far + 5, 60, 0.13, self.far + 60, "Matt(PAVEMENT, <.25, .24, .22>)")

    def open(self, side, z, near=0.8):
        """Whether a side street opens here, so that there is no pavement to stand on."""
        return any(start - near < z < stop + near for start, stop in self.mouths[side])

    # ---- What stands and what moves -------------------------------------------------------------------------------------

    def stand(self, what, side, x, z, turn=0.0, mirror=False, size=1.0):
        """Puts something on the pavement, if there is one."""
        if not self.open(side, z):
            self.put(what, side * x, z, 0.12, turn, mirror, size)

    def furniture(self):
        d = self.dice
        lamp = f"LampPost({d.uniform(5.5, 9):.2f}, -{d.uniform(.8, 2):.2f}, {vector(self.tint(METAL))})"
        for side in (-1, 1):
            kerb, walk = self.edge[side], self.walk[side]
            z, step = d.uniform(6, 20), d.uniform(18, 35)
            while z < self.far:
                self.stand(lamp, side, kerb + 0.45, z, mirror=side < 0)
                z += step
            if walk > 2.6 and d.random() < 0.45:
                z, step = d.uniform(7, 14), d.uniform(8, 16)
                while z < self.far:
                    what, size = self.tree()
                    self.stand(what, side, kerb + 0.9, z, d.uniform(0, 360), size=size * 0.9)
                    z += step * d.uniform(.8, 1.3)
            if d.random() < 0.25:
                z, step = d.uniform(4, 10), d.uniform(1.4, 2.2)
                for k in range(d.randrange(4, 14)):
                    self.stand(f"Bollard({vector(METAL[4])})", side, kerb + 0.4, z + k * step)
            if d.random() < 0.3:
                z, length = d.uniform(5, 25), d.uniform(5, 14)
                if not self.open(side, z + length / 2, length / 2):
                    self.stand(f"Railing({length:.2f}, 1.1, 0.12, {vector(self.tint(METAL))})", side, kerb + 0.35, z)
            if d.random() < 0.2:
                for k in range(4):
                    self.stand("TelegraphPole()", side, kerb + walk - 0.3, 9 + 28 * k, d.uniform(-8, 8))
            for _ in range(d.randrange(1, 5)):
                blue, red, white = (.02, .09, .35), (.55, .025, .025), (.75, .75, .75)
                sign = d.choice([
                    f"RoundSign({vector(red)}, {vector(white)}, <.02, .02, .02>)",
                    f"RoundSign({vector(white)}, {vector(blue)}, {vector(white)})",
                    f"RoundSign({vector(white)}, {vector(red)}, {vector(white)})", "TriangleSign()",
                    f"DirectionSign({d.uniform(1, 2.2):.2f}, {d.uniform(.6, 1.3):.2f}, {vector(d.choice([blue, (.02, .14, .07), white]))})"])
                self.stand(sign, side, kerb + d.uniform(.45, .8), d.uniform(7, 45), d.choice([0, 0, 0, 180]) + d.uniform(-15, 15),
                           size=d.uniform(.9, 1.15))
            if d.random() < 0.4:
                litter = f"LitterBin({vector(self.tint(BINS))})"
                self.stand(d.choice([litter, "Bench()"]), side, kerb + walk - 0.7, d.uniform(6, 25), 90 * side)
        if self.crossing:
            z, state = self.crossing[0] - 1.2, d.randrange(3)
        elif self.zebra or d.random() < 0.3:
            z, state = (self.zebra - 0.5 if self.zebra else d.uniform(12, 30)), d.randrange(3)
        else:
            return
        for side in (-1, 1):
            self.stand(f"TrafficLight({state})", side, self.edge[side] + 0.4, z)

    def car(self, parked):
        d = self.dice
        if not parked and d.random() < 0.10:
            return f"Bus({vector(d.choice([(.42, .02, .02), (.50, .50, .48), (.03, .10, .25)]))}, {d.choice([1, 2])})", 11.5
        kind = d.choices(["Hatchback", "Saloon", "Estate", "OffRoader", "Van"], [4, 3, 2, 1.5, 1.2])[0]
        paint = self.tint(VANS if kind == "Van" else PAINT, 0.05)
        return f"{kind}({vector(paint)})", 5.4

    def traffic(self):
        d = self.dice
        for side in (-1, 1):
            if self.parking[side]:
                z = d.uniform(-3, 9)
                while z < self.far:
                    what, _ = self.car(True)
                    if d.random() < 0.75 and not self.open(side, z + 2.6, 4):
                        self.put(what, side * (self.edge[side] - 1.1 + d.uniform(-.12, .08)), z + 2.6, 0,
                                 (0 if side < 0 else 180) + d.uniform(-2, 2) + d.choice([0, 0, 0, 180]))
                    z += d.uniform(5.4, 6.4)
            z = d.uniform(9, 26) if side < 0 else d.uniform(6, 30)
            while z < self.far:
                what, length = self.car(False)
                middle = z + length / 2
                blocked = (self.zebra and abs(middle - self.zebra - 1.6) < length / 2 + 2.2) or any(
                    side == other and abs(middle - at) < length / 2 + 1.4 for other, at in self.riders)
                if not blocked:
                    self.put(what, side * self.half * 0.5 + d.uniform(-.35, .35), middle, 0, (0 if side < 0 else 180) + d.uniform(-3, 3))
                z += length + d.expovariate(1 / 14)

    def cyclists(self):
        d = self.dice
        for _ in range(d.choice([0, 1, 1, 1, 2, 3])):
            side, z = d.choice([-1, -1, 1]), 6 + d.expovariate(1 / 10)
            if any(side == other and abs(z - at) < 2.2 for other, at in self.riders):
                continue
            self.riders.append((side, z))
            what = (f"Cyclist({vector(self.tint(PAINT))}, {vector(self.tint(self.cloth))}, {vector(self.tint(LEGS))}, "
                    f"{vector(self.tint(SKIN, .05))}, {vector(self.tint(HAIR))}, {d.uniform(-1, 1):.2f})")
            turn = (0 if side < 0 else 180) + d.uniform(-8, 8)
            self.put(what, side * (self.half - d.uniform(.35, .8)), z, 0, turn + (d.choice([-90, 90]) if d.random() < .2 else 0))

    def person(self):
        d = self.dice
        return (f"Person({vector(self.tint(self.cloth))}, {vector(self.tint(LEGS))}, {vector(self.tint(SKIN, .05))}, "
                f"{vector(self.tint(HAIR))}, {d.choice([-1, 1]) * d.uniform(4, 28):.1f}, {int(d.random() < .3)}, {int(d.random() < .3)})")

    def people(self):
        d = self.dice
        for _ in range(d.randrange(3, 16)):
            side, z, away = d.choice([-1, 1]), 4 + d.expovariate(1 / 14), d.choice([0, 180])
            x = side * (self.edge[side] + d.uniform(.9, max(1.0, self.walk[side] - .4)))
            for k in range(d.choice([1, 1, 1, 2, 2, 3])):
                if z + k > 4:
                    height = 0 if self.open(side, z + k * 0.75, 0) else 0.12
                    self.put(self.person(), x + side * k * 0.1, z + k * 0.75, height, away + d.uniform(-20, 20), size=d.uniform(.9, 1.06))
        for _ in range(d.choice([0, 0, 1, 2, 3] if self.zebra else [0, 0, 0, 1])):
            z = self.zebra + d.uniform(.4, 2.8) if self.zebra else d.uniform(14, 40)
            self.put(self.person(), d.uniform(-self.half, self.half), z, 0, d.choice([-90, 90]) + d.uniform(-15, 15), size=d.uniform(.92, 1.05))

    def text(self):
        self.camera()
        self.lines.append("#if (!Labels)")
        self.lines.extend(light(self.dice, self.moods))
        self.lines.append("#end")
        self.ground()
        for side in (-1, 1):
            self.side(side)
        self.end()
        self.furniture()
        self.cyclists()
        self.traffic()
        self.people()
        return HEADER.format(tree_seed=self.dice.randrange(9999)) + "\n".join(self.lines) + "\n"
