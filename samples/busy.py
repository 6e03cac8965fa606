"""Streets for training: what a network finds hard stands in them more often than in a Street.

Pale walls below pale skies, people close to the camera, poles, signs.
"""

from palette import CLOTH, METAL, PALE, PLASTER, vector
from street import Street


class BusyStreet(Street):
    moods = (2, 4, 5, 3)
    plaster = PALE + PALE + PLASTER
    cloth = CLOTH + PALE  # as pale as the walls

    def people(self):
        super().people()
        d = self.dice
        for _ in range(d.randrange(2, 8)):
            side, z = d.choice([-1, 1]), d.uniform(2.6, 11)
            across = d.random() < 0.3
            x = d.uniform(-3.0, 3.0) * z / 6 if across else side * (self.edge[side] + d.uniform(.4, self.walk[side]))
            on_road = -self.edge[-1] < x < self.edge[1]
            height = 0 if on_road or self.open(side, z, 0) else 0.12
            who, turn, grown = self.person(), d.uniform(0, 360), d.random() < .75
            self.put(who, x, z, height, turn, size=d.uniform(.9, 1.06) if grown else d.uniform(.6, .8))

    def furniture(self):
        super().furniture()
        d = self.dice
        red, white, blue = (.55, .025, .025), (.75, .75, .75), (.02, .09, .35)
        for _ in range(d.randrange(3, 10)):
            side = d.choice([-1, 1])
            x = self.edge[side] + d.uniform(.3, max(.5, self.walk[side] - .3))
            what = d.choice([
                f"RoundSign({vector(white)}, {vector(red)}, {vector(white)})",
                f"RoundSign({vector(red)}, {vector(white)}, <.02, .02, .02>)",
                "TriangleSign()", "TrafficLight(0)", "TrafficLight(2)", "TelegraphPole()",
                f"DirectionSign({d.uniform(.8, 2.2):.2f}, {d.uniform(.5, 1.3):.2f}, {vector(d.choice([blue, white]))})",
                f"LampPost({d.uniform(4, 9):.2f}, {d.uniform(.3, 2):.2f}, {vector(self.tint(METAL))})"])
            z, turn = d.uniform(5, 40), d.choice([0, 0, 0, 180]) + d.uniform(-25, 25)
            self.stand(what, side, x, z, turn, size=d.uniform(.85, 1.2))
