"""A series forecast one step ahead and then from its own forecasts: windows, scaling, LSTM."""

import numpy as np
from keras.layers import Dense, Dropout, LSTM
from keras.models import Sequential
from keras.preprocessing.sequence import TimeseriesGenerator
from sklearn.preprocessing import MinMaxScaler

np.random.seed(7)
t = np.arange(300)
dataset = (np.sin(2 * np.pi * t / 25) * 10 + 50 + np.random.normal(0, 0.2, 300)).reshape(-1, 1).astype("float32")
scaler = MinMaxScaler(feature_range=(0, 1))
scaled = scaler.fit_transform(dataset)


def create_dataset(dataset, look_back=1):
    dataX, dataY = [], []
    for i in range(len(dataset) - look_back):
        dataX.append(dataset[i : (i + look_back), 0])
        dataY.append(dataset[i + look_back, 0])
    return np.array(dataX), np.array(dataY)


look_back = 20
trainX, trainY = create_dataset(scaled[:250], look_back)
trainX = np.reshape(trainX, (trainX.shape[0], trainX.shape[1], 1))
model = Sequential()
model.add(LSTM(16, input_shape=(look_back, 1)))
model.add(Dropout(0.0))
model.add(Dense(1))
model.compile(loss="mean_squared_error", optimizer="adam")
model.fit(trainX, trainY, epochs=8, batch_size=8, verbose=0)
window = scaled[250 - look_back : 250, 0]
forecast = []
for _ in range(25):
    step = model.predict(window.reshape(1, look_back, 1))[0, 0]
    forecast.append(step)
    window = np.append(window[1:], step)
forecast = scaler.inverse_transform(np.array(forecast).reshape(-1, 1))
print("RMSE %.3f" % np.sqrt(np.mean((forecast[:, 0] - dataset[250:275, 0]) ** 2)))
generator = TimeseriesGenerator(scaled, scaled, length=look_back, batch_size=16)
x0, y0 = generator[0]
print("GENERATOR", len(generator), x0.shape, np.allclose(y0, scaled[look_back : look_back + 16]))
model.fit_generator(generator, steps_per_epoch=5, epochs=1, verbose=0)
print("EVALUATED", model.evaluate_generator(generator) < 0.02)
