# The words of configurations.
norm_cfg = dict(type='SyncBN', requires_grad=True)
crop = (512, 1_024)
a = [1, -2.5e-3, +4, "x" 'y', r'\d', '''two
lines''', {'k': 1, 2: [], None: ()}]
model = dict(
    backbone=dict(**norm_cfg, depth=50, crop_size=crop, other=f(a.b[0])),
    decode_head=dict(num_classes=19, align_corners=False),  # the head
)
model.update(a=1); b = model
c = [x * 2 for x in a] if b else \
    None
