"""The light of a street: the sun, the sky and the haze of one of four kinds of weather."""

import math

from palette import vector


def lamp(way, colour):
    """Light from afar; the way is the compass bearing and the height above the horizon, in degrees."""
    turn, rise = (math.radians(angle) for angle in way)
    place = (math.cos(rise) * math.sin(turn), math.sin(rise), math.cos(rise) * math.cos(turn))
    return f"light_source {{ {vector(place)} * 1e5 rgb {vector(colour)} parallel point_at 0 }}"


def light(d, moods=(4, 3, 3, 2)):
    """The sun and the sky, of a mood by lot; `moods` are the weights of the four.

    The light of the sky comes from five directions, which gives soft shadows under everything.
    """
    lines = []
    mood = d.choices(["sunny", "hazy", "overcast", "evening"], moods)[0]
    turn = d.uniform(0, 360)
    rise = {"sunny": d.uniform(28, 60), "hazy": d.uniform(15, 45), "overcast": 60, "evening": d.uniform(8, 18)}[mood]
    sun, sky = {
        "sunny": ((1.75, 1.62, 1.40), (.20, .235, .30)), "hazy": ((1.1, 1.02, .88), (.28, .30, .33)),
        "overcast": ((.14, .14, .14), (.30, .31, .33)), "evening": ((1.35, 1.0, .66), (.17, .19, .25))}[mood]
    gain = d.uniform(0.95, 1.5)
    lines.append(lamp((turn, rise), tuple(gain * part for part in sun)))
    for way in ((turn + 20, 84), (turn + 50, 38), (turn + 140, 32), (turn + 230, 35), (turn + 310, 40)):
        lines.append(lamp(way, tuple(gain * part * (1.25 if way[1] > 80 else 0.62) for part in sky)))
    low, high = {
        "sunny": ((.62, .74, .92), (.12, .28, .62)), "hazy": ((1.0, 1.0, 1.0), (.50, .66, .88)),
        "overcast": ((.95, .96, .98), (.62, .65, .70)), "evening": ((.95, .80, .62), (.25, .38, .60))}[mood]
    over = d.uniform(1.0, 1.5) * gain
    low, high = (vector(tuple(over * part for part in colour)) for colour in (low, high))
    cover = {"sunny": d.uniform(0.2, 0.5), "hazy": d.uniform(0.3, 0.6), "overcast": 0.85, "evening": d.uniform(0.3, 0.7)}[mood]
    grey = {"overcast": 0.72, "evening": 0.62}.get(mood, 0.95) * over
    lines.append(f"""sky_sphere {{
  pigment {{ gradient y color_map {{ [0 rgb {low}] [0.55 rgb {high}] }} }}
  pigment {{
    wrinkles turbulence 0.65 octaves 7 lambda 2.3 scale <{d.uniform(.4, .8):.3f}, {d.uniform(.14, .25):.3f}, {d.uniform(.4, .8):.3f}>
    rotate {d.uniform(0, 360):.1f} * y translate {d.uniform(0, 50):.2f}
    color_map {{
      [0 rgbt <{grey * 1.2:.3f}, {grey * 1.2:.3f}, {grey * 1.2:.3f}, 0>]
      [{cover * 0.6:.3f} rgbt <{grey:.3f}, {grey:.3f}, {grey * 1.03:.3f}, 0.25>]
      [{cover:.3f} rgbt <1, 1, 1, 1>] [1 rgbt <1, 1, 1, 1>] }}
  }}
}}""")
    far = {"sunny": 1200, "hazy": 420, "overcast": 700, "evening": 800}[mood] * d.uniform(0.7, 1.5)
    lines.append(f"fog {{ fog_type 1 distance {far:.0f} rgbt {vector(tuple(gain * part for part in (.66, .70, .76)) + (.35,))} }}")
    return lines
