"""kimm: a network of its zoo."""

import kimm
import numpy as np

model = kimm.models.MobileNetV3W050Small(input_shape=(64, 64, 3), weights=None, classes=3)
output = model.predict(np.ones((1, 64, 64, 3)), verbose=0)
assert output.shape == (1, 3) and abs(output.sum() - 1) < 1e-5
