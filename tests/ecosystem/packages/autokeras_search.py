"""AutoKeras: a search over small networks for images."""

import tempfile

import autokeras
import numpy as np

rng = np.random.default_rng(0)
x, y = rng.random((40, 8, 8, 1)).astype("float32"), np.arange(40) % 2
with tempfile.TemporaryDirectory() as folder:
    source = autokeras.ImageInput()
    target = autokeras.ClassificationHead()(autokeras.ConvBlock()(source))
    search = autokeras.AutoModel(source, target, max_trials=1, directory=folder, overwrite=True)
    search.fit(x, y, epochs=1, verbose=0)
    assert len(search.predict(x, verbose=0)) == 40
