"""Calls of the layers for images with given transformations. What Keras 3.15 makes of them is in golden/images.npz."""

import numpy as np

PARTS = {"i": "images", "m": "segmentation_masks", "b": "bounding_boxes", "l": "labels"}

r = np.random.RandomState(0)
x = r.uniform(0, 255, (2, 6, 5, 3)).astype("float32")
boxes = {
    "boxes": np.array([[[1, 1, 3, 4], [0, 0, 2, 2.0]], [[2, 1, 4, 5], [3, 3, 4.5, 5.5]]], "float32"),
    "labels": np.array([[0, 1], [2, 3]], "float32"),
}
seg = r.randint(0, 4, (2, 6, 5, 1)).astype("float32")
f = np.float32
A = np.array
S = (2, 6, 5, 3)


def col(*v):
    return A(v, f).reshape(-1, 1, 1, 1)


cases = []


def add(n, cfg, t, what="im", **k):
    cases.append((n, cfg, t, what, k))


add("RandomBrightness", {"factor": 0.5}, {"rgb_delta": col(-30, 50)})
add("RandomBrightness", {"factor": 0.5, "value_range": (20, 120)}, {"rgb_delta": col(-30, 50)})
add("RandomContrast", {"factor": 0.5}, {"contrast_factor": col(0.5, 1.4)})
add("RandomContrast", {"factor": 0.5, "value_range": (0, 1)}, {"contrast_factor": col(0.5, 1.4)}, im="unit")
add("RandomColorDegeneration", {"factor": 0.5}, {"factor": col(0.3, 0.8)})
add("RandomColorDegeneration", {"factor": 0.5, "value_range": (0, 1)}, {"factor": col(0.3, -0.2)}, im="unit")
add("RandomHue", {"factor": 0.5}, {"factor": A([0.2, -0.1], f)})
add("RandomHue", {"factor": 0.5, "value_range": (0, 1)}, {"factor": A([0.2, -0.1], f)}, im="unit")
add("RandomHue", {"factor": 0.5, "value_range": (0, 510)}, {"factor": A([0.2, -0.1], f)})
add("RandomSaturation", {"factor": 0.5}, {"factor": A([0.4, 1.7], f)})
add("RandomSaturation", {"factor": 0.5, "value_range": (0, 1)}, {"factor": A([0.4, 1.7], f)}, im="unit")
add("RandomSharpness", {"factor": 0.5}, {"factor": A([0.4, 0.9], f)})
add("RandomSharpness", {"factor": 0.5, "value_range": (0, 1)}, {"factor": A([0.4, 0.9], f)}, im="unit")
add("RandomPosterization", {"factor": 4}, {"shift_factor": A([6, 3], "uint8")})
add("RandomPosterization", {"factor": 4, "value_range": (0, 1)}, {"shift_factor": A([6, 3], "uint8")}, im="unit")
add("RandomGrayscale", {"factor": 0.5}, A([True, False]).reshape(2, 1, 1, 1))
add("RandomInvert", {"factor": 0.5}, {"apply_inversion": A([True, False])})
add("RandomInvert", {"factor": 0.5, "value_range": (20, 200)}, {"apply_inversion": A([False, True])})
add("Solarization", {}, {"additions": col(10, 60), "thresholds": col(100, 20)})
add("Solarization", {"value_range": (0, 1)}, {"additions": col(10, 60), "thresholds": col(100, 20)}, im="unit")
add("Solarization", {"value_range": (50, 200)}, {"additions": col(10, 60), "thresholds": col(100, 20)})
add("AutoContrast", {}, None)
add("AutoContrast", {"value_range": (0, 1)}, None, im="unit")
add("AutoContrast", {"value_range": (20, 100)}, None)
add("Equalization", {}, None)
add("Equalization", {"value_range": (0, 1)}, None, im="unit")
add("Equalization", {"bins": 16}, None)
add("Equalization", {}, None, im="big")
add("Equalization", {"bins": 40, "value_range": (0, 1)}, None, im="bigunit")
add("Equalization", {"value_range": (20, 220)}, None, im="big")
C = "ContrastLimitedAdaptiveHistogramEqualization"
add(C, {"tile_grid_size": (2, 2)}, None, im="big")
add(C, {"tile_grid_size": (3, 2), "clip_limit": 2.0}, None, im="big")
add(C, {}, None, im="big")
add(C, {"value_range": (0, 1), "tile_grid_size": (4, 4)}, None, im="bigunit")
add(C, {"tile_grid_size": (2, 2)}, None)
add("RandomGaussianBlur", {}, {"blur_factor": A([0.4, 0.9], f), "should_apply_blur": A([True, False])})
add(
    "RandomGaussianBlur",
    {"kernel_size": (3, 5)},
    {"blur_factor": A([1.4, 0.9], f), "should_apply_blur": A([True, True])},
)
for mode in ("horizontal", "vertical", "horizontal_and_vertical"):
    add("RandomFlip", {"mode": mode}, {"flips": A([True, False]).reshape(2, 1, 1, 1), "input_shape": S}, "ibm")
for _i, (fm, ip) in enumerate(
    [
        ("reflect", "bilinear"),
        ("constant", "nearest"),
        ("wrap", "bilinear"),
        ("nearest", "nearest"),
        ("constant", "bilinear"),
    ]
):
    g = {"fill_mode": fm, "interpolation": ip, "fill_value": 7.0}
    add(
        "RandomTranslation",
        {"height_factor": 0.2, "width_factor": 0.2} | g,
        {"translations": A([[1.3, -0.7], [-2, 1]], f), "input_shape": S},
        "ibm",
    )
    add(
        "RandomZoom",
        {"height_factor": 0.2} | g,
        {"height_zoom": A([[0.7], [1.4]], f), "width_zoom": A([[1.2], [0.5]], f), "input_shape": S},
        "ibm",
    )
    add(
        "RandomShear",
        {"x_factor": 0.2, "y_factor": 0.3} | g,
        {"shear_factor": A([[0.3, -0.1], [-0.2, 0.4]], f), "input_shape": S},
        "ibm",
    )
    add("RandomRotation", {"factor": 0.2} | g, "rot", "ibm")
for ip in ("bilinear", "nearest"):
    add(
        "RandomPerspective",
        {"interpolation": ip, "fill_value": 3.0},
        {
            "apply_perspective": A([True, True]),
            "start_points": A([[[0, 0], [4, 0], [0, 5], [4, 5]]] * 2, f),
            "end_points": A([[[0, 0], [3.2, 0], [0, 5.5], [4.1, 4]], [[0, 0], [4.2, 0], [0, 3], [3.1, 6]]], f),
            "input_shape": S,
        },
        "ibm",
    )
    add(
        "RandomPerspective",
        {"interpolation": ip},
        {
            "apply_perspective": A([True, False]),
            "start_points": A([[[0, 0], [4, 0], [0, 5], [4, 5]]] * 2, f),
            "end_points": A([[[0, 0], [3.2, 0], [0, 5.5], [4.1, 4]], [[0, 0], [4.2, 0], [0, 3], [3.1, 6]]], f),
            "input_shape": S,
        },
        "ibm",
    )
m = np.zeros((2, 6, 5, 1), bool)
m[0, 1:3, 2:4] = True
m[1, 3:, :2] = True
add(
    "RandomErasing",
    {},
    {"apply_erasing": A([True, False]), "batch_masks": np.repeat(m, 3, -1), "fill_value": 7.0},
    "im",
)
add(
    "RandomErasing",
    {"value_range": (0, 1)},
    {"apply_erasing": A([True, True]), "batch_masks": np.repeat(m, 3, -1), "fill_value": 0.7},
    "im",
    im="unit",
)
add(
    "CutMix",
    {},
    {"permutation_order": A([1, 0]), "batch_masks": np.repeat(m, 3, -1), "mix_weight": col(0.8, 0.6)},
    "il",
)
add("MixUp", {}, {"permutation_order": A([1, 0]), "mix_weight": A([0.8, 0.6], f)}, "il")
for h, w in ((4, 3), (8, 9), (3, 7), (6, 2)):
    add("CenterCrop", {"height": h, "width": w}, {"input_shape": S}, "ibm")
    for k in ({}, {"crop_to_aspect_ratio": True}, {"pad_to_aspect_ratio": True, "fill_value": 2.0}):
        for ip in ("bilinear", "nearest"):
            add("Resizing", {"height": h, "width": w, "interpolation": ip} | k, (6, 5), "ibm")
add("RandomCrop", {"height": 4, "width": 3}, (1, 2), "im")
add("MaxNumBoundingBoxes", {"max_number": 3}, None, "b")
add("MaxNumBoundingBoxes", {"max_number": 1}, None, "b")
add("MaxNumBoundingBoxes", {"max_number": 3, "fill_value": -7}, None, "b")
big = r.uniform(0, 255, (2, 17, 12, 3)).astype("float32")
ims = {"unit": x / 255, "big": big, "bigunit": big / 255}
onehot = np.eye(4, dtype="float32")[[1, 3]]


def outputs(layers):
    """What these layers make of images, boxes, masks and labels: a dictionary from the names of calls to arrays."""
    found = {}
    for i, (name, config, transformation, parts, more) in enumerate(cases):
        layer = getattr(layers, name)(**config, bounding_box_format="xyxy")
        if isinstance(transformation, str):
            transformation = rotation()
        images = ims.get(more.get("im"), x)
        given = {"i": images, "m": seg, "b": {key: value.copy() for key, value in boxes.items()}, "l": onehot}
        for part in parts:
            transform = getattr(layer, f"transform_{PARTS[part]}")
            try:
                result = transform(given[part], transformation, training=True)
            except NotImplementedError:  # Keras has no masks for some layers
                continue
            for key, value in (result if isinstance(result, dict) else {"": result}).items():
                found[f"{i}-{name}-{part}{key}"] = np.asarray(value)
    return found


def rotation():
    """The transformation of RandomRotation as Keras has it: angles in degrees and affine maps around the middle."""
    angles, maps = A([30, -100.0], f), []
    for c, s in zip(np.cos(np.deg2rad(angles)), np.sin(np.deg2rad(angles))):
        maps.append([c, -s, 2 - c * 2 + s * 2.5, s, c, 2.5 - s * 2 - c * 2.5, 0, 0])
    return {"angle": angles, "image_height": 6, "image_width": 5, "batch_size": 2, "rotation_matrix": A(maps, f)}
